/** What comes, in arrays of `length`; the last may be shorter. */
export async function* blocks<T>(
  source: AsyncIterable<T>,
  length: number,
): AsyncGenerator<T[], void, undefined> {
  let block: T[] = [];
  for await (const item of source) {
    block.push(item);
    if (block.length < length) continue;
    yield block;
    block = [];
  }
  if (block.length > 0) yield block;
}
