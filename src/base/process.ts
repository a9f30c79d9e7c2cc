/** Whether a process with this number runs on this machine, also one of another account. Numbers are given again: compare more before ending one. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
