/** Each workload makes a function to be timed; see serve.mjs. */
export function serve(
  // biome-ignore lint/suspicious/noExplicitAny: requests are JSON, and each workload knows its own
  workloads: Record<string, (params: any) => () => unknown>,
): Promise<void>;
