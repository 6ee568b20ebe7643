import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { fitLines, ircLine, ircLines, nickOf, parseIrcLine, withoutCodes } from "../../src/kit/irc-line.ts";

test("a line is read with its tags, source, command and parameters", () => {
  const line = parseIrcLine(
    "@time=2026-01-01T00:00:00Z;+x=a\\sb\\:c\\\\;empty :alice!a@host privmsg #room  :hello : there",
  );
  assert.equal(
    [...(line?.tags ?? [])],
    [
      ["time", "2026-01-01T00:00:00Z"],
      ["+x", "a b;c\\"],
      ["empty", ""],
    ],
  );
  assert.equal([line?.source, line?.command], ["alice!a@host", "PRIVMSG"]);
  assert.equal(line?.params, ["#room", "hello : there"]);
  assert.is(nickOf("alice!a@host"), "alice");
  assert.equal(parseIrcLine("PING")?.params, []);
  assert.equal(parseIrcLine(":s 001 me :")?.params, ["me", ""]);
});

test("what is no line is undefined", () => {
  for (const text of ["", " ", ":only.source", "@tags", "12 x", "!bad x", "\x00"])
    assert.is(parseIrcLine(text), undefined);
});

test("threat M: no text becomes another line or another parameter", () => {
  for (const text of ["a\r\nQUIT", "a\nQUIT", "a\rQUIT", "a\0b"])
    assert.throws(
      () => ircLine("PRIVMSG", "#room", text),
      (error: unknown) => error instanceof Failure,
    );
  for (const to of ["#a b", "", ":x", "#a\r\n"])
    assert.throws(
      () => ircLine("PRIVMSG", to, "text"),
      (error: unknown) => error instanceof Failure,
    );
  assert.is(ircLine("PRIVMSG", "#room", ":)"), "PRIVMSG #room ::)");
  assert.is(ircLine("NICK", "me"), "NICK me");
  assert.is(ircLine("USER", "me", "0", "*", "my name"), "USER me 0 * :my name");
});

test("lines come whole however they arrive, and endless ones are left out", () => {
  const all = new TextEncoder().encode("one\r\ngrüezi\n\r\nthree\r\n");
  for (const size of [1, 2, 3, 7, 100]) {
    const lines: string[] = [];
    const push = ircLines((line) => void lines.push(line));
    for (let at = 0; at < all.length; at += size) push(all.subarray(at, at + size));
    assert.equal(lines, ["one", "grüezi", "three"]);
  }
  const lines: string[] = [];
  const push = ircLines((line) => void lines.push(line));
  for (let each = 0; each < 100; each++) push("x".repeat(1000));
  push("still\nnext\n");
  assert.equal(lines, ["next"]);
});

test("text is cut to so many bytes at spaces, and never inside a character", () => {
  assert.equal(fitLines("one two three\n\nfour", 8), ["one two", "three", "four"]);
  const smileys = "😀".repeat(10);
  assert.equal(
    fitLines(smileys, 10),
    Array.from({ length: 5 }, () => "😀😀"),
  );
  assert.is(fitLines("ü".repeat(1000), 99).join(""), "ü".repeat(1000));
  assert.equal(fitLines("a\x01b\x02c\x00", 10), ["abc"]);
});

test("codes of colours are taken away", () => {
  assert.is(withoutCodes("\x0304,12red\x03 \x02bold\x0f \x04ff0000hex\x1d"), "red bold hex");
});

test.run();
