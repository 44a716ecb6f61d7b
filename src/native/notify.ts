/**
 * Sends a datagram to a UNIX socket, by its path or, with "@" in front, its abstract name: what sd_notify(3) does. Never
 * blocks; false when the one who reads it has not kept up. Throws with Node's shape when there is none. Linux only.
 */
export type Notify = (socket: string, text: string) => boolean;
