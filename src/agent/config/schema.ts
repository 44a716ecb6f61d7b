import path from "node:path";
import * as v from "valibot";
import { programData } from "./folders.ts";
import { operationName, responseOf } from "../../wire/operations.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const seconds = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(86_400));
const absolutePath = v.pipe(v.string(), v.regex(/^(\/|[A-Za-z]:\\)/, "must be an absolute path"));
const strings = v.array(v.string());
const operations = Object.keys(responseOf).map(operationName);
const operation = v.pipe(
  v.string(),
  v.check((name) => operations.includes(name), "is not an operation of this agent"),
  v.check((name) => !["hello", "ping", "get_capabilities"].includes(name), "cannot be switched off"),
);

const defaultStateDir =
  process.platform === "win32" ? path.win32.join(programData(), "state") : "/var/lib/limiquantix";

/**
 * The config file: known keys, their limits and defaults. Hosts and images in the field have such files, so a
 * key is never renamed and a default never loosened.
 */
export const configSchema = v.strictObject({
  /** Seconds between two telemetry reports. */
  telemetry_interval_secs: v.optional(seconds, 5),
  /** Interfaces left out of telemetry, by name; `*` stands for any characters. */
  telemetry_exclude_interfaces: v.optional(strings, [
    "lo",
    "veth*",
    "docker*",
    "br-*",
    "cni*",
    "flannel*",
    "cali*",
    "virbr*",
    "lxcbr*",
    "podman*",
  ]),
  /** The longest a command may run, and what a request without a limit gets. */
  max_exec_timeout_secs: v.optional(seconds, 300),
  /** Bytes of file data in one message. */
  max_chunk_size: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(4096), v.maxValue(8 * 1024 * 1024)),
    65_536,
  ),
  log_level: v.optional(v.picklist(["trace", "debug", "info", "warn", "error"]), "info"),
  /** json: one object a line. text: for people. auto: text in the journal of systemd, with its priorities, else json. */
  log_format: v.optional(v.picklist(["auto", "json", "text"]), "auto"),
  /** "" logs to standard error. */
  log_file: v.optional(v.union([v.literal(""), absolutePath]), ""),
  log_max_size_bytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(4096)), 10 * 1024 * 1024),
  log_max_files: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), 5),
  /** auto, a device's path, unix:PATH or unix-listen:PATH, serial:PATH; on Windows pipe:PATH or pipe-listen:PATH. */
  device_path: v.optional(v.string(), "auto"),
  /** auto answers each host in the framing it uses. */
  framing: v.optional(v.picklist(["auto", "plain", "magic"]), "auto"),
  /** A frame that gets no further for this long is given up. */
  frame_timeout_secs: v.optional(seconds, 5),
  /** Where the agent remembers what it must clean up after a restart. It is made when it is needed. */
  state_dir: v.optional(absolutePath, defaultStateDir),
  pre_freeze_script_dir: v.optional(absolutePath, "/etc/limiquantix/pre-freeze.d"),
  post_thaw_script_dir: v.optional(absolutePath, "/etc/limiquantix/post-thaw.d"),
  security: v.optional(
    v.strictObject({
      command_allowlist: v.optional(strings, []),
      command_blocklist: v.optional(strings, []),
      allow_file_write_paths: v.optional(v.array(absolutePath), []),
      deny_file_read_paths: v.optional(v.array(absolutePath), []),
      /** 0: no limit. */
      max_commands_per_minute: v.optional(count, 0),
      /** 0: no limit. */
      max_file_ops_per_second: v.optional(count, 0),
      /** Refused, each by its name in the .proto: shutdown, reset_password. hello, ping and get_capabilities cannot be. */
      disabled_operations: v.optional(v.array(operation), []),
      audit_logging: v.optional(v.boolean(), false),
    }),
    {},
  ),
  health: v.optional(
    v.strictObject({
      enabled: v.optional(v.boolean(), true),
      interval_secs: v.optional(seconds, 30),
      telemetry_timeout_secs: v.optional(seconds, 60),
    }),
    {},
  ),
});

export type ConfigFile = v.InferOutput<typeof configSchema>;
