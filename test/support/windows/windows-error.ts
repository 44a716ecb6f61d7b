/** An error as the addon gives it for a number of Windows' that libuv has no name for. */
export function windowsError(number: number, syscall: string): Error {
  const message = `UNKNOWN: Windows error ${number}, ${syscall}`;
  return Object.assign(new Error(message), { code: "UNKNOWN", errno: -4094, syscall, windowsError: number });
}
