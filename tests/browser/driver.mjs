// Chromium, driven line by line: reads {"do": NAME, ...} from standard input, answers {"ok": …} or {"error": "…"}.
// The scenario itself is written in Rust; this file only knows how to do one thing in a page.
//
// Arguments: folder of the profile, WAV file that plays as the microphone.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../console/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const { AxeBuilder } = require("@axe-core/playwright");

const [profile, microphone] = process.argv.slice(2);
const context = await chromium.launchPersistentContext(profile, {
  executablePath: "/usr/bin/chromium",
  headless: true,
  ignoreHTTPSErrors: true,
  viewport: { width: 1360, height: 860 },
  permissions: ["microphone", "camera"],
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${microphone}`, "--autoplay-policy=no-user-gesture-required",
    // With loopback alone Chromium would gather no candidates.
    "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns",
  ],
});
// Keeps hold of the page's peer connections, to listen to what it receives.
await context.addInitScript(() => {
  const Real = window.RTCPeerConnection;
  window.__peers = [];
  window.RTCPeerConnection = class extends Real {
    constructor(...args) {
      super(...args);
      window.__peers.push(this);
    }
  };
});
let page = context.pages()[0] ?? (await context.newPage());
const complaints = [];
context.on("console", (m) => m.type() === "error" && complaints.push(m.text()));
context.on("weberror", (e) => complaints.push(String(e.error())));
context.setDefaultTimeout(60_000);

const does = {
  goto: ({ url }) => page.goto(url).then(() => null),
  reload: () => page.reload().then(() => null),
  fill: ({ label, text }) => page.getByLabel(label, { exact: true }).first().fill(text).then(() => null),
  /** Clicks by role and name, in the dialog that is open if there is one, or `within` a selector. */
  click: async ({ role = "button", name, exact = true, within }) => {
    const modal = page.locator("dialog[open]");
    const scope = within ? page.locator(within) : (await modal.count()) > 0 ? modal : page;
    await scope.getByRole(role, { name, exact }).first().click();
    return null;
  },
  "click-css": ({ selector }) => page.locator(selector).first().click().then(() => null),
  select: ({ label, value }) => page.getByLabel(label).first().selectOption(value).then(() => null),
  check: ({ label, checked = true }) => page.getByLabel(label, { exact: true }).setChecked(checked).then(() => null),
  /** Another tab of the same browser, or back to one by its number. */
  tab: async ({ number, url }) => {
    page = number === undefined ? await context.newPage() : context.pages()[number];
    if (url) await page.goto(url);
    await page.bringToFront();
    return context.pages().indexOf(page);
  },
  title: () => page.title(),
  /** How far the page is wider than its window, in CSS pixels. */
  overflow: () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
  press: ({ keys }) => page.keyboard.press(keys).then(() => null),
  /** Waits until something is to be seen. */
  see: ({ selector, timeout }) => page.locator(selector).first().waitFor({ state: "visible", timeout }).then(() => null),
  gone: ({ selector, timeout }) => page.locator(selector).first().waitFor({ state: "hidden", timeout }).then(() => null),
  text: ({ selector }) => page.locator(selector).first().evaluate((e) => e.innerText ?? e.textContent),
  count: ({ selector }) => page.locator(selector).count(),
  evaluate: ({ code }) => page.evaluate(code),
  screenshot: ({ file }) => page.screenshot({ path: file }).then(() => null),
  /** By the console's own settings; `theme` is light, dark or auto. */
  settings: async ({ theme, language }) => {
    await page.getByRole("button", { name: /^(Settings|Настройки)$/ }).click();
    await page.locator("dialog[open] select").nth(1).selectOption(theme);
    await page.locator("dialog[open] select").nth(0).selectOption(language);
    await page.locator("dialog[open] form button").click();
    return null;
  },
  theme: ({ dark }) => page.emulateMedia({ colorScheme: dark ? "dark" : "light" }).then(() => null),
  size: ({ width, height }) => page.setViewportSize({ width, height }).then(() => null),
  complaints: () => complaints.splice(0),
  /** The loudest frequency of what the page receives, and its level, each `every` ms for `count` times. */
  listen: ({ count = 10, every = 200 }) =>
    page.evaluate(
      async ({ count, every }) => {
        const connected = () => window.__peers.filter((p) => p.connectionState === "connected").at(-1);
        for (let i = 0; i < 50 && !connected(); i++) await new Promise((r) => setTimeout(r, 100));
        const peer = connected();
        const track = peer?.getReceivers().find((r) => r.track?.kind === "audio")?.track;
        if (!track) return [];
        const audio = new AudioContext();
        const analyser = audio.createAnalyser();
        analyser.fftSize = 8192;
        audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
        const bins = new Float32Array(analyser.frequencyBinCount);
        const heard = [];
        for (let i = 0; i < count; i++) {
          await new Promise((r) => setTimeout(r, every));
          analyser.getFloatFrequencyData(bins);
          let best = 1;
          for (let b = 1; b < bins.length; b++) if (bins[b] > bins[best]) best = b;
          heard.push({ hz: (best * audio.sampleRate) / analyser.fftSize, db: Number.isFinite(bins[best]) ? bins[best] : -200 });
        }
        await audio.close();
        return heard;
      },
      { count, every },
    ),
  /** Accessibility findings (WCAG 2.2 A and AA) of what is shown. */
  axe: async () => {
    const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
    return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.any.map((a) => a.message).join(" ")}`).join("; ")}`);
  },
};

console.log(JSON.stringify({ ok: "started" }));
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const { do: name, ...fields } = JSON.parse(line);
    if (name === "quit") break;
    console.log(JSON.stringify({ ok: (await does[name](fields)) ?? null }));
  } catch (e) {
    // What the page looked like says more than the selector that was not there.
    await page.screenshot({ path: new URL("../../target/screenshots/failed.png", import.meta.url).pathname }).catch(() => undefined);
    console.log(JSON.stringify({ error: String(e?.message ?? e) }));
  }
}
await context.close();
process.exit(0);
