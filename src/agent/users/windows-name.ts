import { CodedError } from "../../wire/errors.ts";
import { shownName } from "./user-name.ts";

/** UNLEN of lmcons.h, in UTF-16 units. */
const mostUnits = 256;

/** What Windows takes in no account's name (NetUserAdd), and what would not be seen. */
const impossible = /["/[\]:;|=,+*?<>\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/;

/**
 * The name of an account as Windows may have one, without a domain. Whether there is such a user is another question.
 * Throws CodedError noSuchUser.
 */
export function checkedWindowsName(name: string): string {
  const wrong = whatIsWrong(name);
  if (wrong === undefined) return name;
  throw new CodedError("noSuchUser", `there cannot be a user ${JSON.stringify(shownName(name))}: ${wrong}`);
}

function whatIsWrong(name: string): string | undefined {
  if (name === "") return "the name is empty";
  if (name.length > mostUnits) return `a name has at most ${mostUnits} characters`;
  if (name.includes("\\"))
    return "only this machine's own users are meant, or on a domain controller those of its domain; give the name without a domain";
  if (impossible.test(name))
    return 'a name has none of " / [ ] : ; | = , + * ? < >, control characters or bytes that are no UTF-8';
  if (/^[. ]+$/.test(name)) return "a name is not made of dots and spaces alone";
  return undefined;
}
