/** Bits of the mask that a port's callback gets. Each is an edge: it is reported once. */
export const portEvent = { readable: 1, writable: 2, hangup: 4, error: 8 } as const;

/**
 * What a port is made from: a device or terminal to open, a UNIX socket to connect to, or a descriptor to own. On Windows
 * the socket is a named pipe, and the descriptor a handle made for overlapped I/O; it is the end of a pipe unless `kind`
 * says otherwise.
 */
export type PortSource = { device: string } | { socket: string } | { fd: number; kind?: "socket" };

/**
 * One end of a byte channel. A pipe goes one way: at the end that is written to, `error` says that nobody reads any
 * more; reading from it, or writing to the other end, throws EBADF. Nothing in it blocks; errors thrown have the shape of Node's own.
 */
export interface RawPort {
  readonly kind: "virtio" | "terminal" | "socket" | "pipe";
  /** Bytes read; 0 when there are none now; -1 at the end, which on a virtio port means that no host is attached. */
  read(buffer: Uint8Array): number;
  /** Bytes that the kernel took. Fewer than given: offer the rest again after `writable`. */
  write(buffers: readonly Uint8Array[]): number;
  /** Bytes that were taken and that the system does not have yet; absent where it has them at once. */
  readonly unsent?: number;
  /** Idempotent. No callback runs afterwards. */
  close(): void;
}

export type RawPortConstructor = new (source: PortSource, onEvents: (mask: number) => void) => RawPort;

/**
 * A listening UNIX socket, mode 0600, with room for one waiting client. On Windows a named pipe, for SYSTEM and
 * administrators of this machine.
 */
export interface RawListener {
  /** A descriptor for `{ fd }`, or -1 when no client waits. `onClient` comes once per new client. */
  accept(): number;
  close(): void;
}

export type RawListenerConstructor = new (path: string, onClient: () => void) => RawListener;

/** Tells when virtio ports appear or are gone, on Windows. ENOSYS: this system does not tell. */
export interface PortWatch {
  close(): void;
}

export type PortWatchConstructor = new (onChange: () => void) => PortWatch;
