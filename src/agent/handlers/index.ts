import type { Handlers } from "../session/handler.ts";
import { getCapabilities } from "./get-capabilities.ts";
import { ping } from "./ping.ts";

/** Every operation that works. One that is not here is answered with its own "not supported" response. */
export const handlers = { ping, getCapabilities } satisfies Handlers;
