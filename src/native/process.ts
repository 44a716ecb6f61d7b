/** Makes a pseudo terminal: the master's descriptor, which the caller owns, and the path of the other end. */
export type OpenPty = () => { fd: number; path: string };
