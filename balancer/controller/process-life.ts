// Whether another process of the host still runs.

/** False: it has ended and was waited for. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // There is one, and it is another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
