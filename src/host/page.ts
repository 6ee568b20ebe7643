/** The files of the web page as they are, by name from its folder: `index.html`, `assets/main-1A2B3C4D.js`. */
export type PageFiles = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/**
 * Reads the page's files: those this program came with, or those of another folder. Rejects with a Failure `unavailable`
 * that says how to get them where there are none.
 */
export type ReadPage = (folder?: string) => Promise<PageFiles>;
