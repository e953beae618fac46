import { describe, expect, test } from "vitest";
import type { OfferView } from "./api";
import { phoneNumber } from "./format";
import { moved, shownFields, switched, titleOf, usualFields, whoIs } from "./offer";
import { en } from "./words/en";
import { ru } from "./words/ru";

const call: OfferView = {
  offer: "offer_1",
  interaction: "interaction_1",
  service: { id: "service_1", name: "Sales" },
  channel: "voice",
  callback: null,
  direction: "inbound",
  colleague: null,
  passed_by: null,
  about: null,
  caller: "+4930123456",
  caller_name: "Mara Lind",
  contact: "+4930555100",
  noted: {},
  waited_ms: 12_000,
  deadline: 0,
  auto_answer: false,
  may_put_back: false,
};
const colleague: OfferView = {
  ...call,
  service: null,
  direction: "internal",
  colleague: { user: "user_1", name: "Anna Berg", extension: "1002" },
  caller: "1002",
  caller_name: "Anna Berg",
  contact: "1003",
};
const read = (offer: OfferView, window = usualFields(), words = en) => {
  const { before, large, after } = shownFields(offer, window, words);
  return [before.map((s) => s.text), large?.text ?? null, after.map((s) => s.text)];
};

describe("the offer window shows the tenant's fields in the tenant's order", () => {
  /** MAIL-03: type, service, address, name, category and subject. */
  test("an email says first what it is about", () => {
    const noted = { category: "Billing", email: "mara@example.org", reference: "<1@example.org>", subject: "Prices" };
    const email: OfferView = { ...call, channel: "email", caller: "mara@example.org", noted };
    expect(titleOf(email, en)).toBe("New email");
    expect(read(email)).toEqual([["for Sales", "Email"], "Mara Lind", ["Subject: Prices, Category: Billing, Email: mara@example.org", "Waited 0:12"]]);
  });

  /** VOICE-03: service, type, name and number, as far as they are known. */
  test("a call from outside says its service, its type, who calls, and how long they waited", () => {
    expect(read(call)).toEqual([["for Sales", "Telephone"], "Mara Lind", ["+49 30 123456", "Waited 0:12"]]);
  });

  test("without a name the number stands in its place, once", () => {
    expect(read({ ...call, caller_name: null })).toEqual([["for Sales", "Telephone"], "+49 30 123456", ["Waited 0:12"]]);
  });

  /** ROUTE-07: what was entered in self-service, where there is any. */
  test("what was entered stands in its place", () => {
    expect(read({ ...call, noted: { account_number: "4711", topic: "card" } })[2]).toEqual(["+49 30 123456", "Account number: 4711, Topic: card", "Waited 0:12"]);
  });

  /** VOICE-04: type, colleague's name, extension. */
  test("a colleague's call says so, with name and extension", () => {
    expect(read(colleague)).toEqual([["Internal call"], "Anna Berg", ["Extension 1002"]]);
    expect(read(colleague, usualFields(), ru)).toEqual([["Внутренний звонок"], "Anna Berg", ["Внутренний номер 1002"]]);
  });

  test("a colleague without an extension is still named", () => {
    const bare = { ...colleague, colleague: { user: "user_1", name: "Anna Berg", extension: null } };
    expect(read(bare)).toEqual([["Internal call"], "Anna Berg", []]);
  });

  /** VOICE-05: the tenant chooses the fields and their order. */
  test("another tenant's choice is followed, field by field", () => {
    const window = { external: ["waited", "line", "number", "service"] as const, internal: ["extension", "waited", "name"] as const };
    const own = { external: [...window.external], internal: [...window.internal] };
    expect(read(call, own)).toEqual([["Waited 0:12", "Dialled +49 30 555100"], "+49 30 123456", ["for Sales"]]);
    expect(read(colleague, own)).toEqual([["Extension 1002", "Waited 0:12"], "Anna Berg", []]);
    expect(read(call, { ...own, external: ["service"] })).toEqual([["for Sales"], null, []]);
  });
});

test("who calls is the colleague, else the name, else the number", () => {
  expect(whoIs(colleague)).toBe("Anna Berg");
  expect(whoIs(call)).toBe("Mara Lind");
  expect(whoIs({ ...call, caller_name: null })).toBe("+49 30 123456");
});

describe("an administrator arranges fields", () => {
  test("a field switched on comes last; the last one stays", () => {
    expect(switched(["name"], "number")).toEqual(["name", "number"]);
    expect(switched(["name", "number"], "name")).toEqual(["number"]);
    expect(switched(["number"], "number")).toEqual(["number"]);
  });

  test("a field moves by one place and stops at the ends", () => {
    expect(moved(["service", "name", "number"], "number", -1)).toEqual(["service", "number", "name"]);
    expect(moved(["service", "name"], "service", -1)).toEqual(["service", "name"]);
    expect(moved(["service", "name"], "name", 1)).toEqual(["service", "name"]);
    expect(moved(["service", "name"], "line", 1)).toEqual(["service", "name"]);
  });
});

test("a callback is called one, with the number that will be dialled", () => {
  const back: OfferView = { ...call, channel: "callback", caller_name: null, callback: { number: "+4930777", attempts: 0, dials_at: null } };
  expect([titleOf(call, en), titleOf(back, en)]).toEqual(["Incoming call", "Callback"]);
  const shown = shownFields(back, { external: ["channel", "number"], internal: [] }, en);
  expect([shown.before[0]?.text, shown.large?.text]).toEqual(["To be called back", phoneNumber("+4930777")]);
});

/** CHAT-02: service, type, name, email, phone and company, in the tenant's fields and order. */
test("a chat says what is known of who writes, in both languages, and nothing twice", () => {
  const chat: OfferView = { ...call, channel: "chat", caller: "mara@example.org", noted: { email: "mara@example.org", phone: "+4930123456", company: "Lind" } };
  expect(read(chat)).toEqual([["for Sales", "Chat"], "Mara Lind", ["Email: mara@example.org, Telephone: +4930123456, Company: Lind", "Waited 0:12"]]);
  expect(read(chat, usualFields(), ru)[0]?.[1]).toBe("Чат");
  expect(read({ ...chat, caller: "", caller_name: null, noted: {} })[1]).toBe("Visitor");
});
