/** What must be so, each as a sentence. */
export const laws = [
  'the log is whole and in order',
  'no acknowledged command is lost, none is applied twice',
  'no ledger was ever beyond a limit',
  'quotas are shown as they are',
  'no address ever had two holders',
  'no node ever held more than it has',
  'every operation has ended or has an owner',
  'nothing is held for what is gone',
  'nothing is taken for what was given up',
  'what runs is paid for, and what is paid for runs',
  'the books balance',
  'no home is parked',
  'no reaction is skipped',
  'no reaction runs again on what was done',
  'a rebuild equals the live read models',
] as const;
export type Law = (typeof laws)[number];
