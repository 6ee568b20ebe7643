/** Runs a double's answer; what it asserts and does not find becomes a problem that the test sees, and a refusal. */
export function strictly<T>(problems: string[], work: () => T, refused: (problem: string) => T): T {
  try {
    return work();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    problems.push(problem);
    return refused(problem);
  }
}
