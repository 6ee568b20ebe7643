import { suite, test } from "uvu";
import * as assert from "uvu/assert";
import { chromium, startChromium, type Browser, type Page } from "../support/chromium.ts";
import { runCommand, startGateway, until, type GatewayProcess } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { servePacedModel } from "../support/paced-model.ts";
import { runtime } from "../support/runtime.ts";

// The page is the same whichever runtime serves it, and one real browser is enough for all.
const why = runtime === "bun" ? (chromium ? undefined : "needs chromium") : "needs Bun: one browser is enough for all";
if (why) {
  test("SC-247 the first message goes through WebChat", () => void process.stdout.write(`skipped: ${why}\n`));
  test.run();
} else {
  const chat = suite("webchat");
  const token = "a-token-that-nobody-can-guess-0123456789";
  const browser: Browser = await startChromium();
  const open: Page[] = [];
  let gateway: GatewayProcess;

  const start = (more: object = {}, config: object = {}) =>
    startGateway({ config: { gateway: { mode: "local", auth: { token }, ...more }, ...config }, args: [] });
  const address = ({ url }: GatewayProcess) => `${url.replace(/^ws/, "http")}/`;
  async function visit(at: GatewayProcess, { fragment = `#token=${token}`, own = true } = {}): Promise<Page> {
    const page = await browser.open(address(at) + fragment, { own });
    open.push(page);
    return page;
  }
  async function say(page: Page, text: string): Promise<void> {
    await page.click("textarea");
    await page.type(text);
    await page.press("Enter");
  }
  const answers = async (page: Page) => page.run(`document.querySelectorAll(".turn.assistant:not(.live)").length`);

  chat.before(async () => void (gateway = await start()));
  chat.after.each(async () => {
    for (const page of open.splice(0)) await page.close();
  });
  chat.after(async () => {
    await browser.close();
    await gateway.stop();
    endLaunched();
  });

  chat(
    "SC-247 the first message goes through WebChat: said, streamed, answered, and there after a reload",
    async () => {
      const page = await visit(gateway);
      await page.shows(".welcome", /No model is set up yet/);
      await say(page, "hello **there**");
      await page.shows(".user .bubble", /hello/);
      await page.shows(".assistant .markdown", /You said: hello there/);
      assert.is(await page.run(`document.querySelector(".assistant .markdown strong").textContent`), "there");
      await page.reload();
      await page.shows(".assistant .markdown", /You said: hello there/);
      await say(page, "status");
      await page.shows(".tool summary", /session_status/);
      assert.equal(page.errors, []);
      const strangers = page.requests.filter((each) => !each.replace(/^ws/, "http").startsWith(address(gateway)));
      assert.equal(strangers, [], "no request to anybody else");
    },
  );

  chat("threat E the token leaves the address at once, and the device's key is out of any script's reach", async () => {
    const page = await visit(gateway);
    await page.shows("textarea", /^/);
    assert.not.match(String(await page.run("location.href")), token);
    assert.not.match(String(await page.run("JSON.stringify({ ...localStorage })")), token);
    // The key cannot be taken away.
    const exported = await page.run(`new Promise((done) => {
      const asked = indexedDB.open("clawlet");
      asked.onsuccess = () => {
        const got = asked.result.transaction("kept").objectStore("kept").get("keys");
        got.onsuccess = () => crypto.subtle.exportKey("pkcs8", got.result.privateKey).then(() => done("exported"), () => done("refused"));
      };
    })`);
    assert.is(exported, "refused");
  });

  chat("a wrong token is told as such, the right one lets in, and this browser needs none from then on", async () => {
    const page = await visit(gateway, { fragment: "#token=wrong" });
    await page.shows(".wrong", /That token is not the gateway's/);
    await page.type(token);
    await page.press("Enter");
    await page.shows("textarea", /^/);
    await page.run("sessionStorage.clear()");
    await page.reload();
    await page.shows("textarea", /^/);
    assert.equal(page.errors, []);
  });

  chat("a link with the token, opened in a tab that waits for one, lets in without a reload", async () => {
    const page = await visit(gateway, { fragment: "" });
    await page.shows(".card", /Gateway token/);
    await page.run(`(location.hash = "#token=${token}")`);
    await page.shows("textarea", /^/);
    assert.not.match(String(await page.run("location.href")), token);
  });

  chat("without a secret, as in the dev profile, this machine's own browser is let in", async () => {
    const own = await startGateway({ config: { gateway: { mode: "local" } }, args: [] });
    const page = await visit(own, { fragment: "" });
    await page.shows("textarea", /^/);
    await say(page, "hello");
    await page.shows(".assistant .markdown", /You said: hello/);
    assert.equal(page.errors, []);
    await own.stop();
  });

  chat("a picture goes with a message, is seen before and after, and only pictures do", async () => {
    const page = await visit(gateway);
    await page.shows("textarea", /^/);
    const pick = (name: string, type: string) =>
      page.run(`(async () => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 30 });
        const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
        const given = new DataTransfer();
        given.items.add(new File([blob], ${JSON.stringify(name)}, { type: ${JSON.stringify(type)} }));
        const field = document.querySelector('input[type="file"]');
        field.files = given.files;
        field.dispatchEvent(new Event("change"));
      })()`);
    await pick("notes.pdf", "application/pdf");
    await page.shows(".notices", /pictures only/);
    await pick("garden.png", "image/png");
    await page.shows('.pictures img[alt="garden.png"]', /^/);
    await say(page, "what is this?");
    await page.shows(".user .bubble img", /^/);
    await page.shows(".assistant .markdown", /what is this/);
    await page.lacks(".pending");
    assert.is(await page.run(`document.querySelector(".user .bubble img").naturalWidth`), 40);
    await page.reload();
    await page.shows(".chip", /garden\.png/);
    assert.equal(page.errors, []);
  });

  chat("a browser that is not known waits, goes on once the owner approves it, and is named in the list", async () => {
    const strict = await start({ nodes: { pairing: { autoApproveLocal: false } } });
    const page = await visit(strict);
    const command = await page.shows(".card pre", /devices approve/);
    const requestId = /approve (\S+)/.exec(command)?.[1] ?? "";
    assert.is((await runCommand(["devices", "approve", requestId], strict.home)).status, 0);
    await page.shows("textarea", /^/);
    assert.match((await runCommand(["devices", "list"], strict.home)).stdout, /Chrome on/);
    // And it may let others in.
    const other = await visit(strict);
    await other.shows(".card pre", /devices approve/);
    await page.shows(".count", /1/);
    await page.click('.head button[aria-label^="Status"]');
    await page.click(".drawer .devices .primary");
    await other.shows("textarea", /^/);
    await strict.stop();
  });

  chat("a request that is turned down is not made again by itself", async () => {
    const strict = await start({ nodes: { pairing: { autoApproveLocal: false } } });
    const page = await visit(strict);
    const requestId = /approve (\S+)/.exec(await page.shows(".card pre", /devices approve/))?.[1] ?? "";
    await runCommand(["devices", "reject", requestId], strict.home);
    await page.shows(".card", /turned down/);
    await strict.stop();
  });

  chat("goes on after a restart, and what was written meanwhile is said once", async () => {
    let own = await start();
    const { home, port } = own;
    const page = await visit(own);
    await say(page, "before the restart");
    await page.shows(".assistant .markdown", /before the restart/);
    // Stopped as the owner of the home, which is kept.
    process.kill(own.pid, "SIGTERM");
    await own.exited;
    await page.shows(".banner", /tried again/);
    await say(page, "while it was away");
    await page.shows(".pending", /Sending/);
    own = await startGateway({ home, port, args: [] });
    await page.shows(".assistant .markdown", /You said: while it was away/);
    await page.lacks(".banner");
    await page.lacks(".pending");
    assert.is(await answers(page), 2);
    assert.is(await page.run(`document.querySelectorAll(".turn.user").length`), 2);
    await own.stop();
  });

  chat("an answer is shown as it comes, and Escape stops it", async () => {
    const model = await servePacedModel({ waits: true });
    const own = await start({}, model.config);
    const page = await visit(own);
    await say(page, "go on for ever");
    await page.shows(".live .markdown", /begun/);
    await page.shows('button[aria-label="Stop"]', /^/);
    await page.press("Escape");
    await page.lacks(".live");
    await page.shows(".assistant .markdown", /begun/);
    assert.equal(page.errors, []);
    model.close();
    await own.stop();
  });

  chat("conversations: begun, renamed, found, archived, deleted", async () => {
    const own = await start();
    const page = await visit(own);
    await say(page, "in the main one");
    await page.shows(".assistant .markdown", /main one/);
    await page.click(".side > button");
    await page.shows(".welcome", /./);
    await say(page, "about gardens");
    await page.shows(".assistant .markdown", /gardens/);
    await page.shows(".rows .current .title", /gardens/i);
    const act = async (what: string) => {
      await page.click(".rows .current .more");
      await page.shows(".menu button", /./);
      await page.run(
        `[...document.querySelectorAll(".menu button")].find((each) => each.textContent === ${JSON.stringify(what)}).click()`,
      );
    };
    await act("Rename");
    await page.shows("dialog.card input", /^/);
    await page.type("Roses");
    await page.press("Enter");
    await page.shows(".rows .current .title", /^Roses$/);
    await page.shows(".head .title", /^Roses$/);
    await page.press("k", { control: true });
    await page.type("nothing has this name");
    await page.shows(".side .faint", /Nothing has these words/);
    await page.run(
      `(() => { const field = document.querySelector(".side input"); field.value = ""; field.dispatchEvent(new Event("input")); })()`,
    );
    await page.shows(".rows .current .title", /^Roses$/);
    await act("Archive");
    await until("end of the row", async () =>
      (await page.run(`document.querySelectorAll(".rows li").length`)) === 1 ? true : undefined,
    );
    await page.click(".check input");
    await page.shows(".rows .title", /^Roses$/);
    await act("Delete");
    await page.click("dialog.card .danger");
    await page.shows(".head .title", /^Main$/);
    await page.shows(".side .faint", /Nothing is archived/);
    assert.equal(page.errors, []);
    await own.stop();
  });

  chat("threat R what is said cannot act: markup, links and handlers are text", async () => {
    const own = await start();
    const page = await visit(own);
    await page.run("(window.hurt = 0)");
    const hostile = [
      `<script>hurt++</script><img src=x onerror="hurt++"><svg onload="hurt++">`,
      "[click](javascript:hurt++) <javascript:hurt++> [a](data:text/html,x)",
      `<iframe srcdoc="<script>parent.hurt++</script>"></iframe><a href="javascript:hurt++">b</a>`,
      '# <b onclick="hurt++">c</b>\n- <i onmouseover="hurt++">d</i>\n\na | b\n-|-\n<u>e</u> | f',
      "```html\n<script>hurt++</script>\n```",
    ];
    for (const [index, text] of hostile.entries()) {
      await page.click("textarea");
      await page.type(text);
      await page.press("Enter");
      await until("answer", async () => ((await answers(page)) === index + 1 ? true : undefined), 20_000);
    }
    const bad = await page.run(
      `document.querySelectorAll(".column :is(script, iframe, svg:not(.icon), b, i, u, [onerror], [onclick], [onload], a:not([href^='http'])), .column img").length`,
    );
    assert.equal([bad, await page.run("hurt")], [0, 0]);
    assert.equal(page.errors, []);
    // Even a mistake in the page itself would have no effect.
    const tries = await page.run(`(() => {
      const script = document.createElement("script");
      let held = "";
      try { script.textContent = "hurt++"; document.body.append(script); } catch (error) { held += error.name; }
      try { document.body.insertAdjacentHTML("beforeend", "<b>x</b>"); } catch (error) { held += error.name; }
      return [window.hurt, held];
    })()`);
    assert.equal(tries, [0, "TypeErrorTypeError"]);
    const foreign = await page.run(`fetch("https://example.com/").then(() => "sent", () => "held back")`);
    assert.is(foreign, "held back");
    await own.stop();
  });

  chat("fits a phone and a desk, in light and in dark, and nothing is wider than the screen", async () => {
    const page = await visit(gateway);
    await say(page, `a long word ${"x".repeat(300)} and \`code ${"y".repeat(300)}\``);
    await page.shows(".assistant .markdown", /xxx/);
    for (const width of [320, 390, 768, 1440]) {
      const image = await page.picture({ width, height: 800, dark: width < 768 });
      assert.ok(image.length > 5000);
      assert.is(await page.run("document.documentElement.scrollWidth <= innerWidth"), true, `${width}`);
      assert.is(
        await page.run(
          `document.querySelector(".log .scroll").scrollWidth <= document.querySelector(".log .scroll").clientWidth`,
        ),
        true,
        `${width}`,
      );
    }
    assert.equal(page.errors, []);
  });

  chat.run();
}
