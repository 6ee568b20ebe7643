import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeMessage } from "../../src/host/dns-decode.ts";
import { dataBytes, encodeMessage } from "../../src/host/dns-encode.ts";
import { escapeLabel, labelFrom, labelsOf, labelText, nameKey, splitName } from "../../src/host/dns-name.ts";
import { numberOf, typeOf } from "../../src/host/dns.ts";
import { honest } from "../support/dns-noise.ts";
import { empty } from "../support/scripted-wire.ts";
import { toHex } from "../../src/kit/ids.ts";

test("a message is written as RFC 1035 4.1 has it, a name that was there before as a pointer", () => {
  const bytes = encodeMessage({
    ...empty,
    questions: [{ name: "_a._tcp.local", type: "PTR", unicastResponse: true }],
    answers: [{ name: "_a._tcp.local", type: "PTR", ttl: 4500, flush: false, data: "x._a._tcp.local" }],
  });
  const header = "000000000001000100000000";
  const name = "025f61045f746370056c6f63616c00";
  assert.is(toHex(bytes), `${header}${name}000c8001c00c000c00010000119400040178c00c`);
});

test("what is written is read again", () => {
  assert.equal(decodeMessage(encodeMessage(honest)), honest);
});

test("a label may have dots, backslashes and bytes that are no UTF-8", () => {
  for (const bytes of [[46, 92, 46], [0xc3, 0x28, 46, 0xff], [0xef, 0xbb, 0xbf, 97], [0], [48, 49]]) {
    const label = labelFrom(Uint8Array.from(bytes));
    assert.equal(labelsOf(`${label}.local`).map((each) => [...each])[0], bytes);
    assert.is(splitName(`${label}.local`).length, 2);
  }
  assert.is(escapeLabel("St. Mary's"), "St\\. Mary's");
  assert.is(labelText("St\\. Mary's"), "St. Mary's");
});

test("names are the same whatever the case of their ASCII letters, and of no others", () => {
  assert.is(nameKey("VM.Local"), nameKey("vm.local"));
  assert.is.not(nameKey("É.local"), nameKey("é.local"));
});

test("a type is known by name or by number", () => {
  assert.is(typeOf(33), "SRV");
  assert.is(numberOf("SRV"), 33);
  assert.is(typeOf(65_280), "TYPE65280");
  assert.is(numberOf("TYPE65280"), 65_280);
});

test("an IPv6 address that stands for one of IPv4 stays what it is", () => {
  const record = { name: "a.local", type: "AAAA", ttl: 1, flush: false, data: "::ffff:c000:201" } as const;
  const read = decodeMessage(encodeMessage({ ...empty, answers: [record] }))?.answers[0];
  assert.equal(read, record);
  assert.is(dataBytes(record).length, 16);
});

test("records of other classes than IN, such as EDNS, are left out", () => {
  const bytes = encodeMessage({
    ...empty,
    additionals: [{ name: "", type: "TYPE41", ttl: 0, flush: false, data: new Uint8Array(0) }],
  });
  bytes[bytes.length - 8] = 0x05;
  assert.equal(decodeMessage(bytes)?.additionals, []);
});

test("RFC 6762 18.3 18.11: other operations than queries, and errors, are not for us", () => {
  for (const [at, value] of [
    [2, 0x28],
    [3, 0x03],
  ] as const) {
    const bytes = encodeMessage(honest);
    bytes[at] = value;
    assert.is(decodeMessage(bytes), undefined);
  }
});

test("what does not fit on the wire is an error that says so", () => {
  const of = (name: string) => () =>
    encodeMessage({ ...empty, questions: [{ name, type: "ANY", unicastResponse: false }] });
  assert.throws(of(`${"x".repeat(64)}.local`), "64 bytes");
  const wrong = { name: "a", type: "A", ttl: 1, flush: false, data: "fd00::1" } as const;
  assert.throws(() => encodeMessage({ ...empty, answers: [wrong] }), "fd00::1");
});

test.run();
