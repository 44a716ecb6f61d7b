import { CodedError } from "../../wire/errors.ts";
import { type Envelope, ErrorSeverity } from "../../wire/envelope.ts";
import { type RequestName, responseOf } from "../../wire/operations.ts";

/**
 * How a failed request is answered: in its own response type, so that hosts which take ErrorEvents out of the
 * stream still see their call complete. Requests whose response has no error field get an ErrorEvent.
 */
export function failureOf(request: RequestName, error: CodedError): Envelope {
  switch (request) {
    case "ping":
    case "getCapabilities":
      return errorEvent(error);
    case "execute":
      return { executeResponse: { exitCode: -1, error: error.wireText } };
    default:
      // success and accepted are false unless set.
      return { [responseOf[request]]: { error: error.wireText } };
  }
}

export function errorEvent(error: CodedError, details: Record<string, string> = {}): Envelope {
  const [code = ""] = error.wireText.split(" ", 1);
  return { error: { severity: ErrorSeverity.ERROR_SEVERITY_ERROR, code, message: error.wireText, details } };
}

/** Any thrown value as an error with a code; the cause is kept. */
export function toCodedError(cause: unknown): CodedError {
  if (cause instanceof CodedError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new CodedError("internal", `internal error: ${message}`, { cause });
}
