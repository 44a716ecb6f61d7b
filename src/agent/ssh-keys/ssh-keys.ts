import path from "node:path";
import { CodedError } from "../../wire/errors.ts";
import type { Audit } from "../audit/audit.ts";
import type { Files, Task } from "../files/files.ts";
import { Turns } from "../files/turns.ts";
import type { Log } from "../log.ts";
import type { RequestContext } from "../session/handler.ts";
import type { Tools } from "../tools/tools.ts";
import { type Account } from "../users/account.ts";
import { shownName } from "../users/user-name.ts";
import { KeyList, KeySet, requestedKeys } from "./key-list.ts";
import { isAsItShouldBe, keysFileName, readKeysFile, replaceKeysFile } from "./keys-file.ts";
import { relabel } from "./relabel.ts";
import { makeSshFolder, openSshFolder } from "./ssh-folder.ts";

/** Others may change the file between two looks; not for ever. */
const mostTries = 5;

/** What is used of the agent. */
export interface Means {
  files: Files;
  audit: Audit;
  tools: Pick<Tools, "run">;
  /** Finds a user. */
  accountOf: (user: string) => Promise<Account>;
  log: Pick<Log, "warn">;
}

/** One request: for whom, and what to do with that user's keys. */
interface Ask<T> {
  operation: string;
  user: string;
  /** "list the SSH keys of alice" */
  doing: string;
  work: (account: Account, task: Task) => Promise<T>;
}

type Context = Pick<RequestContext, "signal" | "streams">;

/** Changes of one user's keys come one after the other. */
const turns = new Turns();

/** The keys in the user's ~/.ssh/authorized_keys. Rejects with CodedError. */
export async function listKeys(user: string, means: Means, context: Context): Promise<KeyList["keys"]> {
  const { policy } = means.files;
  const work = async (account: Account): Promise<KeyList["keys"]> => {
    const folder = await openSshFolder(account);
    if (folder === undefined) return [];
    try {
      const { content } = await readKeysFile(folder, account, (place, facts) =>
        policy.checkRead(place, facts),
      );
      return KeyList.parse(content).keys;
    } finally {
      folder.close();
    }
  };
  const doing = `list the SSH keys of ${shownName(user)}`;
  return await run({ operation: "ssh_key_list", user, doing, work }, means, context);
}

/** Adds keys that are not there; with `replace` they are all that is there then. Gives how many are new. */
export async function addKeys(
  user: string,
  { keys, replace }: { keys: readonly string[]; replace: boolean },
  means: Means,
  context: Context,
): Promise<number> {
  const doing = `add SSH keys of ${shownName(user)}`;
  const work = async (account: Account, task: Task): Promise<number> => {
    const lines = requestedKeys(keys);
    const edit = (list: KeyList): number => (replace ? list.replace(lines) : list.add(lines));
    return await change(account, { edit, make: true }, means, task);
  };
  return await run({ operation: "ssh_key_add", user, doing, work }, means, context);
}

/** Removes keys, each given by its line or its fingerprint; gives how many were there. */
export async function removeKeys(
  user: string,
  keys: readonly string[],
  means: Means,
  context: Context,
): Promise<number> {
  const doing = `remove SSH keys of ${shownName(user)}`;
  const work = async (account: Account, task: Task): Promise<number> => {
    const unwanted = new KeySet(keys);
    return await change(account, { edit: (list) => list.remove(unwanted), make: false }, means, task);
  };
  return await run({ operation: "ssh_key_remove", user, doing, work }, means, context);
}

async function run<T>({ operation, user, doing, work }: Ask<T>, means: Means, context: Context): Promise<T> {
  const { files, audit, accountOf } = means;
  return await audit.around(context, { operation, target: shownName(user) }, "internal", async () => {
    const account = await accountOf(user);
    const turn = turns.next(account.home);
    try {
      return await files.run(doing, (task) => work(account, task), { context, before: turn.before });
    } finally {
      turn.end();
    }
  });
}

interface Edit {
  /** Changes the list, and gives what is told. */
  edit: (list: KeyList) => number;
  /** What is not there is made. */
  make: boolean;
}

async function change(account: Account, edit: Edit, means: Means, { signal }: Task): Promise<number> {
  const checkWrite = (sshFolder: string): Promise<void> =>
    means.files.policy.checkWrite(path.join(sshFolder, keysFileName));
  for (let tries = 0; tries < mostTries; tries++) {
    const folder = await (edit.make ? makeSshFolder(account, checkWrite) : openSshFolder(account));
    if (folder === undefined) return 0;
    try {
      await checkWrite(folder.realPath);
      const before = await readKeysFile(folder, account, () => Promise.resolve());
      const list = KeyList.parse(before.content);
      const count = edit.edit(list);
      const content = list.toBuffer();
      const isSame = withEnd(before.content).equals(content) && isAsItShouldBe(before, account);
      if (isSame && (before.facts || !edit.make)) return count;
      if (await replaceKeysFile(folder, account, before, content, signal)) {
        await relabel(folder.realPath, means);
        return count;
      }
    } finally {
      folder.close();
    }
  }
  const message = `the SSH keys of ${account.name} are changed again and again; somebody else is at work on them`;
  throw new CodedError("fileChanged", message);
}

/** The last line of some files has none. */
function withEnd(content: Buffer): Buffer {
  return content.length === 0 || content.at(-1) === 0x0a
    ? content
    : Buffer.concat([content, Buffer.from("\n")]);
}
