/**
 * What bundlers put in: the commit for `src/kit/version.ts`, and for ws that there are no native add-ons. It would look
 * for two of them in every node_modules above, and they are not ours.
 */
export function defines(commit: string | undefined): Readonly<Record<string, string>> {
  return {
    ...(commit === undefined ? {} : { CLAWLET_COMMIT: JSON.stringify(commit) }),
    "process.env.WS_NO_BUFFER_UTIL": '"1"',
    "process.env.WS_NO_UTF_8_VALIDATE": '"1"',
  };
}
