/**
 * The labels of a name as bytes. Inside a label `\.` and `\\` stand for the character and `\195` for the byte, as in
 * zone files: an instance may be called `St. Mary's`.
 */
export function labelsOf(name: string): readonly Uint8Array[] {
  return splitName(name).map(bytesOf);
}

/** A name as its labels, each still escaped. */
export function splitName(name: string): readonly string[] {
  return name.match(/(?:\\\d{3}|\\.|[^.\\])+/gsu) ?? [];
}

/** Text as one label of a name. */
export function escapeLabel(text: string): string {
  return text.replace(/[.\\]/g, "\\$&");
}

/** One label as text for people; bytes that are no UTF-8 become U+FFFD. */
export function labelText(label: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(label));
}

/** Bytes from the wire as one escaped label, so that `labelsOf` gives the same bytes back. */
export function labelFrom(bytes: Uint8Array): string {
  try {
    return escapeLabel(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    // Not UTF-8, as RFC 6763 4.1.1 demands: kept byte by byte.
    return Array.from(bytes, (byte) =>
      byte < 128 ? escapeLabel(String.fromCharCode(byte)) : `\\${byte.toString().padStart(3, "0")}`,
    ).join("");
  }
}

/** The same for all spellings of one name: DNS ignores the case of ASCII letters, and of no others (RFC 6762 16). */
export function nameKey(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function bytesOf(label: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  if (!label.includes("\\")) return encoder.encode(label);
  const parts = label.match(/\\\d{3}|\\.|[^\\]+/gsu) ?? [];
  return Uint8Array.from(
    parts.flatMap((part) =>
      /^\\\d{3}$/.test(part) ? [Number(part.slice(1))] : [...encoder.encode(part.replace(/^\\/, ""))],
    ),
  );
}
