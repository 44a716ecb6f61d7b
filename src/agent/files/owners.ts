import { groupNamed, isIdNumber, lookUp, userNamed } from "../commands/identity.ts";

/** How long a name is believed: a folder's entries mostly have the same owner. */
const rememberMs = 60_000;

/** Names that are remembered; then all are asked for anew. */
const mostNames = 1024;

interface Known {
  name: Promise<string>;
  until: number;
}

const known = { user: new Map<number, Known>(), group: new Map<number, Known>() };

/** The names of a file's owner and group; numbers where they have none, or nobody says in time. */
export async function ownerNames(stats: {
  uid: bigint;
  gid: bigint;
}): Promise<{ owner: string; group: string }> {
  const [owner, group] = await Promise.all([
    nameOf("user", Number(stats.uid)),
    nameOf("group", Number(stats.gid)),
  ]);
  return { owner, group };
}

function nameOf(kind: "user" | "group", id: number): Promise<string> {
  const names = known[kind];
  const found = names.get(id);
  if (found && found.until > performance.now()) return found.name;
  if (names.size >= mostNames) names.clear();
  const name = lookUp(kind, id).then(
    (record) => record?.name ?? String(id),
    () => String(id),
  );
  names.set(id, { name, until: performance.now() + rememberMs });
  return name;
}

/**
 * Who a file is to belong to, by names or numbers, which need not be anybody's; undefined for "". Rejects with CodedError
 * noSuchUser, noSuchGroup.
 */
export async function ownerNumbers(
  owner: string,
  group: string,
): Promise<{ uid: number | undefined; gid: number | undefined }> {
  const [uid, gid] = await Promise.all([
    numberOf(owner, async (name) => (await userNamed(name)).uid),
    numberOf(group, groupNamed),
  ]);
  return { uid, gid };
}

async function numberOf(
  name: string,
  lookUpName: (name: string) => Promise<number>,
): Promise<number | undefined> {
  if (name === "") return undefined;
  return isIdNumber(name) ? Number(name) : await lookUpName(name);
}
