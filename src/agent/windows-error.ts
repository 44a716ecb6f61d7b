/** What Windows itself said of an error of the addon's; 0 where it did not. */
export function windowsErrorOf(error: unknown): number {
  const { windowsError } = (error ?? {}) as { windowsError?: unknown };
  return typeof windowsError === "number" ? windowsError : 0;
}

/** ERROR_ACCESS_DENIED, and ERROR_PRIVILEGE_NOT_HELD. */
const refusals = [5, 1314];

/** What to tell of a call that failed: what to do where the agent may not, otherwise what the system said. */
export function explained(error: unknown): string {
  const number = windowsErrorOf(error);
  if (refusals.includes(number))
    return `the agent may not (Windows error ${number}); run it as its service does, as LocalSystem`;
  const { message } = error as Error;
  return number === 0 || message.includes(`Windows error ${number}`)
    ? message
    : `${message} (Windows error ${number})`;
}
