/** Little memory for a process that runs already, on Linux. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const program = '/usr/bin/prlimit';

/** Whether it can be had here. */
export const canLimit: boolean = process.platform === 'linux' && existsSync(program);

/** Leaves a process so many megabytes more than it has. Returns what lifts the limit, which nobody minds if the process is gone. */
export function limitMemory(pid: number, megabytes: number): () => void {
  const limit = (value: string): void => {
    execFileSync(program, ['--pid', String(pid), `--data=${value}:`], { stdio: 'ignore' });
  };
  const [, kilobytes] = /VmData:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  limit(String(Number(kilobytes) * 2 ** 10 + megabytes * 2 ** 20));
  return () => {
    try {
      limit('unlimited');
    } catch {} // it is gone
  };
}
