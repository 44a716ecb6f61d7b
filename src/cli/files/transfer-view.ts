import { printable } from "../ui/printable.ts";
import { Progress } from "../ui/progress.ts";
import { progressLine } from "./progress-line.ts";
import { Rate } from "./rate.ts";

/** The line on standard error that shows how far a copy is. */
export class TransferView {
  readonly #progress = new Progress();
  readonly #rate = new Rate();
  readonly #totalBytes: number | undefined;
  #name = "";
  /** Of the files that are whole. */
  #bytesBefore = 0;
  #bytes = 0;

  /** `totalBytes` of all that is copied; undefined when that is not known. */
  constructor(totalBytes: number | undefined) {
    this.#totalBytes = totalBytes;
  }

  /** The next file, or tree, begins. */
  begin(name: string): void {
    this.#name = printable(name);
    this.#bytes = 0;
    this.#progress.show((columns) =>
      progressLine(
        {
          name: this.#name,
          bytes: this.#bytesBefore + this.#bytes,
          totalBytes: this.#totalBytes,
          bytesPerSecond: this.#rate.perSecond(performance.now()),
        },
        columns,
      ),
    );
  }

  /** `bytes` of this one; `name`, of a file in a tree, may be what a guest says. */
  update({ bytes, name }: { bytes: number; name?: string | undefined }): void {
    this.#bytes = bytes;
    if (name !== undefined) this.#name = printable(name);
    // Not from the beginning: the first may bring what an earlier try has copied.
    this.#rate.add(this.#bytesBefore + bytes, performance.now());
  }

  /** This one is done. */
  finish(bytes: number): void {
    this.#bytesBefore += bytes;
    this.#bytes = 0;
  }

  /** Clears the line. */
  end(): void {
    this.#progress.end();
  }
}
