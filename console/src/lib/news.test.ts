import { describe, expect, test } from "vitest";
import { news, newsText } from "./news";
import { en } from "./words/en";
import { ru } from "./words/ru";

const clock = () => "12:00:05";
const banner = (code: string, params: Record<string, string | number | null>) => ({ level: "warning" as const, code, params: { at: 1, ...params } });
const said = (code: string, reason: string | null, words = en) => newsText(banner(code, { reason }), words, clock);

describe("a banner says what became of the agent", () => {
  /** ERR-03, ERR-04 */
  test("missed and declined: Not ready, and how to go on", () => {
    expect(said("missed_offer", "No answer")).toBe("You missed an offer at 12:00:05 and are now Not ready. Choose Ready to go on.");
    expect(said("declined_offer", "Declined")).toBe("You declined an offer and are now Not ready.");
    expect(said("missed_offer", "No answer", ru)).toBe("В 12:00:05 вы пропустили вызов. Теперь ваш статус: Не готов. Выберите «Готов», чтобы продолжить.");
  });

  /** CHAT-05: a missed chat is named as one. */
  test("of a chat in its own words", () => {
    expect(newsText(banner("missed_offer", { reason: "No answer", channel: "chat" }), en, clock)).toBe("You missed a chat at 12:00:05 and are now Not ready. Choose Ready to go on.");
    expect(newsText(banner("declined_offer", { reason: "Declined", channel: "chat" }), ru, clock)).toContain("отклонили чат");
  });

  /** STATE-13: messages use the tenant's names. */
  test("by the tenant's own name, where it has one", () => {
    expect(said("missed_offer", "Did not pick up")).toContain("are now Not ready · Did not pick up.");
    expect(said("offer_unreachable", "Линия упала", ru)).toContain("ваш статус: Не готов · Линия упала.");
  });

  test("where the rules leave the agent Ready, nobody is told otherwise", () => {
    expect(said("missed_offer", null)).toBe("You missed an offer at 12:00:05.");
    expect(said("offer_unreachable", null)).not.toContain("Not ready");
    expect(news(banner("declined_offer", { reason: null }), null)).toBeNull();
    expect(news(banner("declined_offer", { reason: "Declined" }), null)).not.toBeNull();
  });

  test("of emails in their own words", () => {
    expect(newsText(banner("missed_offer", { reason: "No answer", channel: "email" }), en, clock)).toContain("missed an email");
    const passed = { why: "transferred", by: "Ana", subject: "Prices" };
    expect(newsText(banner("email_assigned", passed), en, clock)).toBe("Ana passed the email “Prices” on to you. It is in your personal queue.");
    expect(newsText(banner("email_assigned", { ...passed, why: "assigned" }), ru, clock)).toContain("Ana назначает вам письмо");
    expect(newsText(banner("email_assigned", { ...passed, why: "answered", by: null }), en, clock)).toContain("wrote again about “Prices”");
  });

  test("one that this page does not know is named, not lost", () => {
    expect(newsText(banner("brand_new", {}), en, clock)).toBe("Notice: brand_new");
  });
});
