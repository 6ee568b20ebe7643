/** Where a restore of a state folder writes down what it has decided to do, until it is done. */
export function restoreMark(state: string): string {
  return `${state}.restore.json`;
}
