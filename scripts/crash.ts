// Kills a gateway again and again under load and prints what became of all that it acknowledged:
//   bun scripts/crash.ts [kills]
import { crashAgain } from "../test/support/crash.ts";

const kills = Number(process.argv[2] ?? 200);
const card = await crashAgain({
  kills,
  onKill: (done) => {
    if (done % 20 === 0) process.stderr.write(`${done} of ${kills} kills\n`);
  },
});
const rows: readonly (readonly [string, string | number])[] = [
  ["kills", card.kills],
  ["chat.send acknowledged", card.acknowledged],
  ["  lost", card.lost.length],
  ["  doubled", card.doubled.length],
  ["  without an answer", card.notAnswered.length],
  ["  answered twice", card.answeredTwice.length],
  ["chat.send cut off before its answer", card.unanswered],
  ["chat.inject acknowledged", card.injects],
  ["  not there exactly once", card.injectsWrong.length],
  ["damaged files", card.damaged.length],
  ["stuck sessions", card.stuck.length],
  ["start to listening, median and worst", `${card.restartMs.median} and ${card.restartMs.worst} ms`],
];
for (const [what, value] of rows) print(`${what.padEnd(40)}${value}`);
const wrong = [
  card.lost,
  card.doubled,
  card.notAnswered,
  card.answeredTwice,
  card.injectsWrong,
  card.damaged,
  card.stuck,
];
for (const list of wrong) if (list.length > 0) print(list.slice(0, 10).join(", "));
process.exitCode = wrong.some((list) => list.length > 0) ? 1 : 0;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
