/**
 * What each field and mutation takes: the table that the schema is held to. Whoever adds a field adds
 * its row here, so that who may read it was thought of. A row says the right and, where reach and
 * right are not all, who besides.
 */
import type { Right } from '@bivouac/events/language';

/** The things of one account, all made and gone again; and the platform's. */
export interface Things {
  readonly account: string;
  readonly container: string;
  readonly operation: string;
  readonly invoice: string;
  readonly creditNote: string;
  readonly member: string;
  /** Behind the member. */
  readonly person: string;
  readonly apiKey: string;
  readonly invitation: string;
  /** A session in which the staff acted for the account; it has ended. */
  readonly acting: string;
  /** What may stand directly below the account. */
  readonly kindBelow: string;
  readonly image: string;
  readonly plan: string;
  readonly node: string;
  readonly range: string;
  readonly repository: string;
}

/**
 * Whose things they are. `tenant`: who reaches the account. `issuer`: who reaches the one above it.
 * `staff`: the provider's people (to read, its auditors too). `anyone`: the same for all. `invited`:
 * who presents an invitation, and so none of the viewers.
 */
export type Whose = 'tenant' | 'issuer' | 'staff' | 'anyone' | 'invited';

export interface Row {
  readonly right: Right;
  /** What it takes of the provider's people, where that is another. */
  readonly ofStaff?: Right;
  readonly whose: Whose;
}

const row = (right: Right, whose: Whose = 'tenant'): Row => ({ right, whose });

interface QueryRow extends Row {
  /** The field with its arguments and selection, aliased `it`. */
  readonly ask: (of: Things) => string;
  /** What the answer holds where it is seen. */
  readonly holds: (of: Things) => string;
}

const one = (name: string, kind: keyof Things, at: Row): QueryRow => ({
  ...at,
  ask: (of) => `it: ${name}(id: "${of[kind]}") { id }`,
  holds: (of) => of[kind],
});
const list = (name: string, kind: keyof Things, at: Row, filter = 'accountId'): QueryRow => ({
  ...at,
  ask: (of) =>
    `it: ${name}(last: 100${filter === '' ? '' : `, ${filter}: "${of.account}"`}) { edges { node { id } } }`,
  holds: (of) => of[kind],
});

/** Every field of Query. */
export const queries: Readonly<Record<string, QueryRow>> = {
  account: one('account', 'account', row('account.read')),
  accounts: list('accounts', 'account', row('account.read'), ''),
  addressRange: one('addressRange', 'range', row('platform.read', 'staff')),
  addressRanges: list('addressRanges', 'range', row('platform.read', 'staff'), ''),
  apiKeys: list('apiKeys', 'apiKey', row('account.read')),
  auditEvents: {
    ...row('history.read'),
    ask: (of) =>
      `it: auditEvents(first: 10, filter: { accountId: "${of.account}" }) { edges { node { accountId } } }`,
    holds: (of) => of.account,
  },
  container: one('container', 'container', row('containers.read')),
  containerDifferences: {
    ...row('platform.read', 'staff'),
    ask: () => 'it: containerDifferences { edges { node { __typename } } }',
    holds: () => 'edges',
  },
  containers: list('containers', 'container', row('containers.read')),
  containersWithPackage: {
    ...row('containers.read'),
    ask: () =>
      'it: containersWithPackage(name: "openssl", first: 100) { edges { node { container { account { id } } } } }',
    holds: (of) => of.account,
  },
  creditNote: one('creditNote', 'creditNote', row('billing.read')),
  hardwareNode: one('hardwareNode', 'node', row('platform.read', 'staff')),
  image: one('image', 'image', row('account.read', 'anyone')),
  images: list('images', 'image', row('account.read', 'anyone'), ''),
  invitations: list('invitations', 'invitation', row('account.read')),
  invoice: one('invoice', 'invoice', row('billing.read')),
  invoices: list('invoices', 'invoice', row('billing.read')),
  journal: {
    ...row('billing.read'),
    ask: (of) =>
      `it: journal(issuerId: "${of.account}") { edges { node { __typename } } __typename }`,
    // Of an issuer that has issued nothing there is as little as of one that is out of reach.
    holds: () => 'JournalConnection',
  },
  members: list('members', 'member', row('account.read')),
  node: one('node', 'account', row('account.read')),
  nodes: list('nodes', 'node', row('platform.read', 'staff'), ''),
  operation: one('operation', 'operation', row('containers.read')),
  operations: list('operations', 'operation', row('containers.read')),
  packagesWithFile: {
    ...row('account.read', 'anyone'),
    ask: () => `it: packagesWithFile(path: "/usr/bin/offered") { edges { node { name } } }`,
    holds: () => 'offered',
  },
  payment: {
    ...row('billing.read'),
    ask: (of) => `it: payment(accountId: "${of.account}", reference: "paid") { reference }`,
    holds: () => 'paid',
  },
  parkedHomes: {
    ...row('platform.read', 'staff'),
    ask: () => 'it: parkedHomes { edges { node { __typename } } }',
    holds: () => 'edges',
  },
  person: one('person', 'person', row('account.read')),
  plan: {
    ...row('account.read', 'anyone'),
    ask: () => 'it: plan(code: "1000") { id }',
    holds: (of) => of.plan,
  },
  plans: list('plans', 'plan', row('account.read', 'anyone'), ''),
  repositories: list('repositories', 'repository', row('account.read', 'anyone'), ''),
  repository: one('repository', 'repository', row('account.read', 'anyone')),
  retentions: {
    ...row('account.read', 'anyone'),
    ask: () => 'it: retentions { purpose years }',
    holds: () => 'INVOICE',
  },
  strayInstances: {
    ...row('platform.read', 'staff'),
    ask: () => 'it: strayInstances { edges { node { __typename } } }',
    holds: () => 'edges',
  },
  trialBalance: {
    ...row('billing.read'),
    ask: (of) => `it: trialBalance(issuerId: "${of.account}") { entries }`,
    holds: () => 'entries',
  },
  unclosedAccounts: {
    ...row('billing.read'),
    ask: (of) => `it: unclosedAccounts(issuerId: "${of.account}", month: "2026-04") { __typename }`,
    holds: () => 'UnclosedAccounts',
  },
  viewer: {
    ...row('account.read', 'anyone'),
    ask: () => 'it: viewer { keyId }',
    holds: () => 'key_',
  },
};

/** Fields whose answer is empty of what is out of reach, and the same type all the same. */
export const emptyWhenForeign: ReadonlySet<string> = new Set(['journal', 'unclosedAccounts']);

/** The node types: the thing, and under which right each of their fields is answered. */
export interface NodeRow extends Row {
  readonly thing: keyof Things;
  /** Field names by the right they take; a field with arguments as it is asked. */
  readonly fields: Partial<Record<Right, string>>;
  /** Null but for the provider's people, among those above. */
  readonly staffOnly?: string;
}

const day = 'from:"2026-04-10T00:00:00.000Z",to:"2026-04-11T00:00:00.000Z"';

export const nodes: Readonly<Record<string, NodeRow>> = {
  Account: {
    ...row('account.read'),
    thing: 'account',
    fields: {
      'account.read':
        'actings id name kind parent contact holds closed createdAt limitUntil ' +
        `quotaDays(${day}) quotas reservations ` +
        'viewerCanActFor viewerCanClose viewerCanCreateTenant viewerCanHold viewerCanManagePeople ' +
        'viewerCanOrder viewerCanRename',
      'containers.read': `usage(${day},resolution:DAY)`,
      'billing.read':
        'addOns credit creditNotes dunningPaused fees invoicePreview(month:"2026-04") invoices owed ' +
        'payments prices subscriptions',
      'history.read': 'history quotaHistory',
    },
  },
  Container: {
    ...row('containers.read'),
    thing: 'container',
    fields: {
      'containers.read':
        'id hostname lifecycle operation holds observed plan limits image addresses location node ' +
        'generation runningSince createdAt softDeletedAt restoreUntil endedAt account operations ' +
        `packages packageChanges updates usage(${day},resolution:HOUR) ` +
        'version viewerCanAddAddresses viewerCanDelete viewerCanFreeze ' +
        'viewerCanRemoveAddresses viewerCanRename viewerCanResize viewerCanRestart ' +
        'viewerCanRestore viewerCanStart viewerCanStop viewerCanSuspend viewerCanTerminate ' +
        'viewerCanThaw',
      'history.read': 'history',
    },
    staffOnly: 'node',
  },
  CreditNote: {
    ...row('billing.read'),
    thing: 'creditNote',
    fields: {
      'billing.read':
        'account bookedAt id invoice invoiceNumber issuedAt lineCount lines number reason total',
    },
  },
  HardwareNode: {
    ...row('platform.read', 'staff'),
    thing: 'node',
    fields: {
      'platform.read':
        'capacity cpuOvercommitPercent createdAt drained engine enrolmentOpenUntil features free ' +
        'history id identity inventory labels location name placements revokedKeys used version',
    },
  },
  Image: {
    ...row('account.read', 'anyone'),
    thing: 'image',
    fields: {
      'account.read':
        'checks createdAt digest history id inventory name packages publishedAt retired services ' +
        'source status technician testedAt version',
    },
    staffOnly: 'source technician',
  },
  Invoice: {
    ...row('billing.read'),
    thing: 'invoice',
    fields: {
      'billing.read':
        'account bookedAt creditNote dueAt dunning history id issuedAt issuer lineConnection ' +
        'lineCount lines month number open paid state total viewerCanRecordPayment viewerCanVoid',
    },
  },
  Operation: {
    ...row('containers.read'),
    thing: 'operation',
    fields: {
      'containers.read':
        'account attentionSince childCounts children createdAt currentStep endedAt error id ' +
        'interventions invoice kind leftovers overdueReservationIds packageTransaction parentId ' +
        'position progress status steps target targetId version viewerCanCancel viewerCanRepair',
      'history.read': 'history',
    },
  },
  Person: {
    ...row('account.read'),
    thing: 'person',
    fields: { 'account.read': 'account erased id memberId scheduled', 'history.read': 'history' },
  },
  Plan: {
    ...row('account.read', 'anyone'),
    thing: 'plan',
    fields: {
      'account.read':
        'code definedAt effectiveFrom extraAddressMonthly id includedAddresses limits monthly name ' +
        'retired revision setup version versions zone',
    },
  },
  Repository: {
    ...row('account.read', 'anyone'),
    thing: 'repository',
    fields: {
      'account.read': 'arch baseUrl createdAt enabled id images name packages snapshot version',
      'history.read': 'history',
    },
    staffOnly: 'baseUrl',
  },
};

interface MutationRow extends Row {
  /** An input that is admitted and changes nothing that another cell looks at. What it names may be nothing. */
  readonly input: (of: Things, cell: number) => Record<string, unknown>;
  /** It names what is not there by something else than an id. */
  readonly namesNothing?: true;
}

const money = (amount: string) => ({ amount, currency: 'EUR' });
const reason = 'to be refused by what it is';
const onContainer = (right: Right, more: Record<string, unknown> = {}): MutationRow => ({
  ...row(right),
  input: ({ container }) => ({ containerId: container, ...more }),
});
const onPackages = (more: Record<string, unknown> = {}): MutationRow =>
  onContainer('containers.operate', more);
const onAccount = (at: Row, more: Record<string, unknown> = {}): MutationRow => ({
  ...at,
  input: ({ account }) => ({ accountId: account, ...more }),
});
const onPlatform = (input: MutationRow['input']): MutationRow => ({
  ...row('platform.manage', 'staff'),
  input,
});
const repair: MutationRow = {
  ...row('operations.repair', 'staff'),
  input: ({ operation }) => ({ operationId: operation, reason }),
};
const issuing = row('billing.manage', 'issuer');
const customers = row('customers.manage', 'staff');
const terms = {
  name: 'Spare',
  limits: {
    cpuMillis: 1000,
    memoryBytes: '1073741824',
    diskBytes: '10737418240',
    processes: 200,
    cpuUnits: 1000,
  },
  includedAddresses: 1,
  monthly: money('20.00'),
  setup: money('10.00'),
  extraAddressMonthly: money('2.00'),
};
/** The end of ids that fit and name nothing. */
export const NOTHING = '01h455vb4pex5vsknk084sn02q';
const nothing = (prefix: string): string => `${prefix}_${NOTHING}`;

/** Every mutation. */
export const mutations: Readonly<Record<string, MutationRow>> = {
  acceptInvitation: { ...row('invitation.accept', 'invited'), input: () => ({ name: 'N' }) },
  addAddresses: onContainer('containers.order'),
  addMember: {
    ...row('account.manage'),
    input: ({ account }, cell) => ({
      ...{ accountId: account, role: 'AUDITOR', name: 'N' },
      email: `n${cell}@cells.example`,
    }),
  },
  attachAddOn: onAccount(issuing, { name: 'Backup', monthly: money('1.00') }),
  cancelAddOn: onAccount(row('billing.manage'), { addOnId: nothing('itm'), at: 'PERIOD_END' }),
  cancelContainer: onContainer('containers.order', { reason }),
  cancelOperation: {
    ...row('containers.order'),
    input: ({ operation }) => ({ operationId: operation }),
  },
  changeMemberRole: {
    ...row('account.manage'),
    input: ({ account, member }) => ({ accountId: account, memberId: member, role: 'MEMBER' }),
  },
  chargeFee: onAccount(issuing, { name: 'Fee', amount: money('1.00'), reason }),
  closeMonth: onAccount(issuing, { month: '2099-01' }),
  // Refused for what is open below, where it is admitted.
  closeTenant: onAccount(row('account.manage', 'issuer'), { reason }),
  createApiKey: {
    ...row('account.manage'),
    input: ({ account, member }) => ({ accountId: account, memberId: member, label: 'cell' }),
  },
  createCustomer: {
    ...customers,
    input: (_of, cell) => ({ name: `Cell ${cell}`, email: `c${cell}@cells.example` }),
  },
  createTenant: {
    ...row('account.manage'),
    input: ({ account, kindBelow }, cell) => ({
      ...{ parentId: account, kind: kindBelow },
      ...{ name: `Cell ${cell}`, email: `t${cell}@cells.example` },
    }),
  },
  definePlan: onPlatform(() => ({ code: 'cell', ...terms })),
  deleteContainer: onContainer('containers.order', { reason }),
  deprecateImage: onPlatform(() => ({ imageId: nothing('img'), reason })),
  destroyStray: {
    ...row('operations.repair', 'staff'),
    input: () => ({ nodeId: nothing('nod'), containerId: nothing('ctr'), reason }),
  },
  disableRepository: onPlatform(() => ({ repositoryId: nothing('rep') })),
  draftImage: {
    ...onPlatform(() => ({
      ...{ name: 'cell', digest: 'a'.repeat(64), inventory: 'b'.repeat(64) },
      ...{ source: 'builtin:skel', services: [] },
    })),
    namesNothing: true,
  },
  drainNode: onPlatform(({ node }) => ({ nodeId: node, reason })),
  enableRepository: onPlatform(({ repository }) => ({ repositoryId: repository })),
  endActing: { ...row('account.manage'), input: ({ acting }) => ({ actingId: acting }) },
  // The viewers are others than the person, who needs no right but reading.
  erasePerson: {
    ...row('account.manage'),
    ofStaff: 'customers.manage',
    input: ({ person }) => ({ personId: person, reason: 'NO_LONGER_NEEDED' }),
  },
  freezeContainer: onContainer('containers.operate'),
  grantCredit: onAccount(issuing, { amount: money('1.00'), reason }),
  installPackages: onPackages({ packages: ['offered'] }),
  inviteMember: {
    ...row('account.manage'),
    input: ({ account }, cell) => ({
      ...{ accountId: account, role: 'AUDITOR', email: `i${cell}@cells.example` },
    }),
  },
  labelNode: onPlatform(({ node }) => ({ nodeId: node, labels: ['cell'] })),
  liftHold: onAccount(customers, { holdId: nothing('hld') }),
  openNodeEnrolment: onPlatform(() => ({ nodeId: nothing('nod') })),
  pauseDunning: onAccount(issuing, { reason }),
  placeHold: onAccount(customers, { kind: 'STAFF', reason }),
  provisionContainer: onAccount(row('containers.order'), {
    ...{ hostname: 'cell.example.com', plan: '1000', imageId: nothing('img') },
  }),
  publishImage: onPlatform(({ image }) => ({ imageId: image })),
  purgeContainer: onContainer('containers.order', { reason }),
  reconcile: { ...row('operations.repair', 'staff'), input: () => ({}) },
  recordImageInventory: onPlatform(() => ({ imageId: nothing('img'), packages: [] })),
  recordPackageList: onPlatform(() => ({ packages: [] })),
  recordPayment: onAccount(issuing, { reference: 'cell', amount: money('1.00') }),
  refreshPackages: onPackages(),
  registerAddressRange: onPlatform(() => ({ cidr: '10.99.0.0/24', location: 'cell' })),
  registerNode: onPlatform(() => ({
    ...{ name: 'cell', location: 'cell', engine: 'lxd' },
    capacity: {
      ...{ containers: 10, cpuMillis: 1000 },
      ...{ memoryBytes: '1073741824', diskBytes: '1073741824' },
    },
  })),
  registerRepository: onPlatform(() => ({
    ...{ name: 'cell', baseUrl: 'https://cells.example/', arch: 'x86_64', enabled: false },
  })),
  releaseOperation: repair,
  removeAddress: onContainer('containers.order', { leaseIds: [nothing('lse')] }),
  removeMember: {
    ...row('account.manage'),
    input: ({ account }) => ({ accountId: account, memberId: nothing('mem') }),
  },
  removePackages: onPackages({ packages: ['offered'] }),
  renameContainer: onContainer('containers.operate', { hostname: 'cell.example.com' }),
  renameTenant: {
    ...row('account.manage'),
    input: ({ account }) => ({ accountId: account, name: `The ${account.slice(-6)}` }),
  },
  replacePlanTerms: onPlatform(() => ({ planId: nothing('pln'), ...terms })),
  replayParkedHome: {
    ...row('operations.repair', 'staff'),
    input: ({ account }) => ({ service: 'BILLING', homeId: account }),
    namesNothing: true,
  },
  resizeContainer: onContainer('containers.order', { plan: '2000' }),
  resolveOperation: repair,
  restartContainer: onContainer('containers.operate'),
  restoreContainer: onContainer('containers.order'),
  resumeContainer: { ...customers, ...forStaff({ holdId: nothing('hld') }) },
  resumeDunning: onAccount(issuing),
  retirePlan: onPlatform(() => ({ planId: nothing('pln') })),
  retryOperation: repair,
  reversePayment: onAccount(issuing, { reference: 'cell', reason }),
  revokeApiKey: { ...row('account.manage'), input: ({ apiKey }) => ({ keyId: apiKey }) },
  revokeNodeIdentity: onPlatform(() => ({ nodeId: nothing('nod'), reason })),
  // The viewers are others than the key's member, who needs no right but reading.
  rotateApiKey: { ...row('account.manage'), input: ({ apiKey }) => ({ keyId: apiKey }) },
  // Whoever invoices nobody has nobody's month closed.
  runMonth: {
    ...row('billing.manage'),
    input: ({ account }) => ({ issuerId: account, month: '2099-01' }),
  },
  setLimit: onAccount(row('account.manage', 'issuer'), { limit: null, reason }),
  setPaymentTerm: {
    ...row('billing.manage'),
    input: ({ account }) => ({ issuerId: account, days: 14 }),
  },
  setPrice: {
    ...row('billing.manage'),
    input: ({ account }) => ({
      ...{ issuerId: account, planCode: '1000', monthly: money('1.00') },
      ...{ setup: money('1.00'), extraAddressMonthly: money('1.00') },
    }),
  },
  setRetention: onPlatform(() => ({ purpose: 'AUDIT', years: 1 })),
  skipParkedEvent: {
    ...row('operations.repair', 'staff'),
    input: ({ account }) => ({
      ...{ service: 'BILLING', homeId: account, reason },
      eventId: '8f14e45f-ceea-467f-a9d3-8b3f2f1c9a10',
    }),
    namesNothing: true,
  },
  startActing: onAccount(customers, { reason, minutes: 1 }),
  startContainer: onContainer('containers.operate'),
  stopContainer: onContainer('containers.operate'),
  suspendContainer: { ...customers, ...forStaff({ kind: 'STAFF', reason }) },
  syncRepository: onPlatform(() => ({ repositoryId: nothing('rep') })),
  terminateContainer: onContainer('containers.order', { reason }),
  testImage: onPlatform(() => ({
    imageId: nothing('img'),
    checks: [{ name: 'boots', passed: true }],
  })),
  thawContainer: onContainer('containers.operate'),
  undrainNode: onPlatform(({ node }) => ({ nodeId: node })),
  upgradePackages: onPackages(),
  voidInvoice: {
    ...issuing,
    input: ({ account, invoice }) => ({ accountId: account, invoiceId: invoice, reason }),
  },
  withdrawImage: onPlatform(() => ({ imageId: nothing('img'), reason })),
  withdrawInvitation: {
    ...row('account.manage'),
    input: ({ account, invitation }) => ({ accountId: account, invitationId: invitation }),
  },
  withdrawPrice: {
    ...row('billing.manage'),
    input: ({ account }) => ({ issuerId: account, planCode: 'cell' }),
  },
};

function forStaff(more: Record<string, unknown>): Pick<MutationRow, 'input'> {
  return { input: ({ container }) => ({ containerId: container, ...more }) };
}
