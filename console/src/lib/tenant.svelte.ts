// What the tenant sets for all of its agents: read to be edited, and saved with the check that nobody was faster.

import { Problem, type Tenant } from "./api";
import { problemText } from "./problem";
import { signed } from "./session.svelte";
import { Tried } from "./tried.svelte";
import { spoken } from "./words.svelte";

export class TenantSettings {
  /** As it is being edited. */
  draft = $state<Tenant | null>(null);
  problem = $state("");
  /** What a change would do. */
  readonly tried = new Tried();
  private kept = $state("");
  private version = "";

  /** Whether something differs from what is stored. */
  changed = $derived(this.draft !== null && JSON.stringify(this.draft) !== this.kept);

  async load(): Promise<void> {
    try {
      const { name, offer_window, system_names, capacity, agent_order, dialling, withheld, own_voicemail } = await this.read();
      this.draft = { name, offer_window, system_names, capacity, agent_order, dialling, withheld, own_voicemail };
      this.kept = JSON.stringify(this.draft);
      this.problem = "";
      this.tried.forget();
    } catch (e) {
      this.problem = problemText(e, spoken.words);
    }
  }

  /** Says whether it was done; `problem` or `tried` tell why not. */
  async save(): Promise<boolean> {
    if (!this.draft) return false;
    const draft = $state.snapshot(this.draft) as Tenant;
    try {
      if (!(await this.tried.meant("PUT", "/tenant", draft))) return false;
      const { etag } = await signed.api.call<Tenant>("PUT", "/tenant", draft, this.version);
      this.version = etag ?? "";
      this.kept = JSON.stringify(draft);
      this.problem = "";
      this.tried.forget();
      return true;
    } catch (e) {
      this.problem = problemText(e, spoken.words);
      // Now that it was said, a second try is meant: it goes against the version there is now.
      if (e instanceof Problem && e.body.status === 412) await this.read().catch(() => undefined);
      return false;
    }
  }

  private async read(): Promise<Tenant> {
    const { value, etag } = await signed.api.call<Tenant>("GET", "/tenant");
    this.version = etag ?? "";
    return value;
  }
}
