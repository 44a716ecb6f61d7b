import { addon } from "../../../native/addon.ts";
import { CodedError } from "../../../wire/errors.ts";
import type { Identity } from "../identity.ts";
import { cmdExe, systemDrive, systemPath, systemRoot } from "./places.ts";

/** Without these programs, or the libraries that they load, do not start; and those that say where things are. */
export const essentials: Readonly<Record<string, string>> = {
  SystemDrive: systemDrive.slice(0, 2),
  SystemRoot: systemRoot,
  windir: systemRoot,
  ComSpec: cmdExe,
};

/** Names of variables are the same in capitals and not. Later ones win; the spelling of the first stays. */
export class Variables {
  readonly #spelling = new Map<string, string>();
  readonly #values = new Map<string, string>();

  set(name: string, value: string): void {
    const key = name.toUpperCase();
    if (!this.#spelling.has(key)) this.#spelling.set(key, key === "PATH" ? key : name);
    this.#values.set(key, value);
  }

  has(name: string): boolean {
    return this.#values.has(name.toUpperCase());
  }

  /** In the order in which Windows wants a process to have them. */
  sorted(): Map<string, string> {
    const keys = [...this.#values.keys()].sort((one, other) => (one < other ? -1 : 1));
    return new Map(keys.map((key) => [this.#spelling.get(key) ?? key, this.#values.get(key) ?? ""]));
  }
}

/**
 * What Windows gives a process that the user starts, as the registry has it now, and what the host adds; nothing else of
 * the agent's. Throws CodedError invalidMessage.
 */
export async function environmentFor(
  { user, account }: Identity,
  added: Readonly<Record<string, string>>,
  read: (ownUser: boolean) => Promise<readonly string[]> = addon.readEnvironment,
): Promise<Map<string, string>> {
  const variables = new Variables();
  for (const line of await systemVariables(account === undefined, read)) {
    // Names that begin with "=" are cmd.exe's notes of working folders.
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(line) ?? [];
    if (name !== undefined && value !== undefined) variables.set(name, value);
  }
  if (account !== undefined) {
    for (const [name, value] of Object.entries(profileOf(user.home, account))) variables.set(name, value);
  }
  for (const [name, value] of Object.entries({ ...essentials, PATH: systemPath })) {
    if (!variables.has(name)) variables.set(name, value);
  }
  for (const [name, value] of Object.entries(added)) {
    if (name === "" || /[=\0]/.test(name) || value.includes("\0")) {
      throw new CodedError("invalidMessage", `${JSON.stringify(name)} cannot be set in an environment`);
    }
    variables.set(name, value);
  }
  return variables.sorted();
}

/** The registry may not answer, as in a guest that is being set up. The agent's own variables then have to do. */
async function systemVariables(
  ownUser: boolean,
  read: (ownUser: boolean) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  try {
    return await read(ownUser);
  } catch {
    const wanted = /^(path|pathext|temp|tmp|programdata|programfiles.*|public|number_of_processors|os)$/i;
    return Object.entries(process.env).flatMap(([name, value]) =>
      wanted.test(name) ? [`${name}=${value ?? ""}`] : [],
    );
  }
}

/** Its part of the registry is not loaded when it is not logged on: what it would say by default. */
function profileOf(home: string, account: string): Record<string, string> {
  const [domain = "", name = ""] = account.split("\\");
  const identity = { USERNAME: name, USERDOMAIN: domain };
  if (home === "") return identity;
  return {
    ...identity,
    USERPROFILE: home,
    HOMEDRIVE: home.slice(0, 2),
    HOMEPATH: home.slice(2),
    APPDATA: `${home}\\AppData\\Roaming`,
    LOCALAPPDATA: `${home}\\AppData\\Local`,
    TEMP: `${home}\\AppData\\Local\\Temp`,
    TMP: `${home}\\AppData\\Local\\Temp`,
  };
}
