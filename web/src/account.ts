// The account that this page is used with, as the server tells it, and what it may do.
import { whenUnknown, whoAmI } from './api/client';
import type { Job, Run, Verb, WhoAmI } from './api/types';

// Who uses this page, as the server tells it. 'asking': not known yet, or the server cannot be reached; 'unknown': somebody
// who has to sign in first.
export type Account = 'asking' | 'unknown' | WhoAmI;

const kLocal = 'PROOF_LOCAL'; // a server that asks nobody
const kSession = 'PROOF_SESSION';

let account: Account = 'asking';
let listener: (account: Account) => void = () => undefined;

function set(changed: Account): void {
  account = changed;
  listener(changed);
}

// Calls `changed` with whatever becomes of the account, until the next call.
export function watchAccount(changed: (account: Account) => void): void {
  listener = changed;
  whenUnknown(() => set('unknown'));
}

// Asks the server; an error if it cannot be reached.
export async function askAccount(): Promise<void> {
  try {
    set(await whoAmI());
  } catch (error) {
    if (account !== 'unknown') throw error;
  }
}

const isKnown = (who: Account): who is WhoAmI => typeof who === 'object';

// The name to show; empty where nobody is asked.
export const nameOf = (who: Account): string => (isKnown(who) && who.proof !== kLocal ? who.name ?? '' : '');
export const canSignOut = (who: Account): boolean => isKnown(who) && who.proof === kSession;
export const canSignIn = (who: Account): boolean => isKnown(who) && who.proof === 'PROOF_ANONYMOUS';

// Whether the user may do that with a run of the job, or with the job itself. What the server has not told yet is not
// shown; the server decides anyway.
export function may(verb: Verb, job: Job | undefined, run?: Run): boolean {
  if (!isKnown(account)) return false;
  if (account.proof === kLocal) return true;
  const isOwn = run === undefined || (run.createdBy !== undefined && run.createdBy === account.name);
  return (isOwn ? job?.verbs : job?.verbsOnAllRuns)?.includes(verb) ?? false;
}
