/** One line of the table in docs/benchmarks.md. */
export interface BenchRow {
  name: string;
  ours: string;
  reference: string;
  ratio: string;
  target: string;
  met: boolean;
}
