/**
 * A QR code's modules as text, two rows to a line: half blocks have the shape of two squares. Drawn in the light colour
 * of a dark terminal, as most are; the frame of four modules that readers look for is the caller's.
 */
export function qrText(modules: readonly (readonly boolean[])[]): string {
  const lines: string[] = [];
  for (let row = 0; row < modules.length; row += 2) {
    const [upper = [], lower = []] = [modules[row], modules[row + 1]];
    lines.push(upper.map((dark, at) => halves(!dark, !(lower[at] ?? true))).join(""));
  }
  return lines.join("\n");
}

function halves(upper: boolean, lower: boolean): string {
  if (upper) return lower ? "█" : "▀";
  return lower ? "▄" : " ";
}
