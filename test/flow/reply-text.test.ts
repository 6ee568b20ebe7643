import { test } from "uvu";
import * as assert from "uvu/assert";
import { readReply } from "../../src/flow/reply-text.ts";

const plain = (text: string) => ({ text, quotes: undefined, files: [] });

test("a text without tags stays as it is", () => {
  for (const text of ["hello", "a\n\n  indented\n\nb", "[[not a tag]]", "see MEDIA: in the middle", "array[[0]]"]) {
    assert.equal(readReply(text), plain(text));
  }
});

test("reply tags are taken out, and the first of them counts", () => {
  assert.equal(readReply("[[reply_to_current]] yes"), { ...plain("yes"), quotes: "current" });
  assert.equal(readReply("[[ reply_to: 42 ]]\nyes"), { ...plain("yes"), quotes: { id: "42" } });
  assert.equal(readReply("[[reply_to:a]][[reply_to_current]]yes"), { ...plain("yes"), quotes: { id: "a" } });
  assert.equal(readReply("[[audio_as_voice]]yes"), plain("yes"));
  assert.equal(readReply("one\n[[reply_to_current]]\ntwo").text, "one\ntwo");
});

test("a reply tag without an id, or with far too long a one, is no tag", () => {
  const long = `[[reply_to:${"x".repeat(300)}]]`;
  for (const text of ["[[reply_to:]] a", "[[reply_to: ]] a", `${long} a`]) assert.equal(readReply(text), plain(text));
});

test("MEDIA lines name files, and links stay as links", () => {
  const text = ["look:", "MEDIA: out/a.png", "  MEDIA:`b c.pdf`", 'MEDIA:"d.txt"', "MEDIA: https://x.org/e.png", "bye"];
  assert.equal(readReply(text.join("\n")), {
    ...plain("look:\nhttps://x.org/e.png\nbye"),
    files: ["out/a.png", "b c.pdf", "d.txt"],
  });
  assert.is(readReply("MEDIA:x\n".repeat(50)).files.length, 10);
});

test("what stands in a code block is an example", () => {
  const text = "so:\n```\nMEDIA: a.png\n[[reply_to_current]]\n```\nand\n~~~~\n```\nMEDIA: b\n~~~~";
  assert.equal(readReply(text), plain(text));
  assert.equal(readReply("```\ncode\n```\nMEDIA: c").files, ["c"]);
});

test("an answer that is silent but for its tags is silent", () => {
  assert.equal(readReply("[[reply_to_current]]\nNO_REPLY"), { ...plain(""), quotes: "current" });
  assert.is(readReply(" NO_REPLY ").text, "");
  assert.is(readReply("NO_REPLY, he said").text, "NO_REPLY, he said");
});

test("hostile texts are read in time that grows with their length", () => {
  for (const text of [
    "[[".repeat(100_000),
    "[[reply_to:".repeat(20_000),
    "[[ ".repeat(50_000),
    `MEDIA:a${" ".repeat(100_000)}b`,
  ])
    assert.is(typeof readReply(text).text, "string");
});

test.run();
