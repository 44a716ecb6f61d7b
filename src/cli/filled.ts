type Scalar = string | number | boolean | Uint8Array;

/**
 * A message as it really comes out of the decoder: what was not sent has its default. Only a message inside a
 * message can be missing.
 */
export type Filled<T> = T extends Scalar
  ? T
  : T extends readonly (infer Item)[]
    ? Filled<Item>[]
    : T extends object
      ? { [Key in keyof T as Key extends `$${string}` ? never : Key]-?: Field<T[Key]> }
      : T;

type Field<T> =
  NonNullable<T> extends Scalar | readonly unknown[]
    ? Filled<NonNullable<T>>
    : Filled<NonNullable<T>> | undefined;

export function filled<T>(message: T): Filled<T> {
  return message as Filled<T>;
}
