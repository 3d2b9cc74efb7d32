/**
 * Every code a mutation or an operation can be refused with: the type it is answered as, when it
 * comes and what to do. The schema's enum and the table in docs/errors.md are made from this list.
 */

/** The types of errors of the schema. */
export type UserErrorType =
  | 'ValidationFailed'
  | 'NotFound'
  | 'NotAllowed'
  | 'QuotaExceeded'
  | 'OutOfCapacity'
  | 'IdempotencyConflict'
  | 'VersionConflict'
  | 'Contention'
  | 'StateConflict'
  | 'Unavailable'
  | 'RefusedError';

export interface CodeEntry {
  readonly type: UserErrorType;
  /** When it comes. */
  readonly when: string;
  /** What to do about it. */
  readonly remedy: string;
}

function list(type: UserErrorType, codes: Readonly<Record<string, readonly [string, string]>>) {
  return Object.entries(codes).map(([code, [when, remedy]]): readonly [string, CodeEntry] => [
    code,
    { type, when, remedy },
  ]);
}

/** Codes by name, in the order of the schema. */
export const codes: ReadonlyMap<string, CodeEntry> = new Map([
  ...list('ValidationFailed', {
    INVALID_INPUT: ['A field does not fit its schema.', 'Correct the field that `path` names.'],
    TOO_LARGE: ['The input would make an event beyond the limits.', 'Send less at once.'],
    HOSTNAME_TOO_LONG: ['The host name is longer than the node can set.', 'Take a shorter one.'],
    TOO_MANY_ADDRESSES: ['A container would have more addresses than it may.', 'Ask for fewer.'],
    KEY_EXPIRY_PAST: ['The expiry lies in the past.', 'Give a later one, or none.'],
    SCOPE_NOT_OF_ROLE: [
      'A scope is not of the member’s role.',
      'Leave it out, or change the role first.',
    ],
    ZONE_UNKNOWN: ['There is no such IANA time zone.', 'Correct it, e.g. `Europe/Berlin`.'],
    CURRENCIES_DIFFER: ['Prices are in more than one currency.', 'Give all in one.'],
    AMOUNT_NOT_POSITIVE: ['The amount is zero.', 'Give what was really paid or is charged.'],
    EFFECTIVE_DATE_PAST: ['The date lies in the past.', 'Give a later one, or none for now.'],
    PACKAGE_TWICE: ['A package is in the list twice.', 'Send each once.'],
    RANGE_TOO_LARGE: ['The range has more than 4,096 addresses.', 'Register several ranges.'],
    RANGE_EMPTY: ['No address of the range could ever be leased.', 'Reserve fewer of them.'],
    RANGE_GATEWAY_OUTSIDE: ['The gateway is not in the range.', 'Correct it or leave it out.'],
    RANGE_RESERVED_OUTSIDE: ['A reserved offset is not in the range.', 'Correct it.'],
    TRANSACTION_TOO_LARGE: [
      'The package transaction is too large to be sent.',
      'Change fewer packages at once.',
    ],
    ADDRESS_NOT_IN_POOL: [
      'The address is in no range of that location and family.',
      'Take one of a range there, or none.',
    ],
  }),
  ...list('NotFound', {
    NOT_FOUND: ['There is no such thing, or it is not yours.', 'Check the id.'],
    TENANT_UNKNOWN: ['There is no such account, or it is not yours.', 'Check the id.'],
    PARENT_UNKNOWN: ['The account above is not known yet.', 'Send the same again in a moment.'],
    ACCOUNT_UNKNOWN: ['Nothing was ever charged to the account.', 'Check the id.'],
    PERSON_UNKNOWN: ['The account has no such person.', 'Check the id.'],
    MEMBER_UNKNOWN: ['There is no such member of the account.', 'Check the id.'],
    INVITATION_UNKNOWN: ['There is no such invitation, or it is not yours.', 'Check the id.'],
    ACTING_UNKNOWN: ['There is no such session, or it is not yours.', 'Check the id.'],
    KEY_UNKNOWN: ['There is no such API key, or it is not yours.', 'Check the id.'],
    HOLD_UNKNOWN: ['There is no such hold there.', 'Read the holds and take the id from them.'],
    CONTAINER_UNKNOWN: ['There is no such container, or it is not yours.', 'Check the id.'],
    IMAGE_UNKNOWN: ['There is no such image.', 'Check the id.'],
    NODE_UNKNOWN: ['There is no such hardware node.', 'Check the id.'],
    STRAY_UNKNOWN: [
      'No such stray instance is known on the node.',
      'Read the node’s stray instances.',
    ],
    HOME_NOT_PARKED: ['The home is not parked: its events flow.', 'Read the parked homes again.'],
    RANGE_UNKNOWN: ['There is no such address range.', 'Check the id.'],
    PLAN_UNKNOWN: ['There is no such plan.', 'Take a code from `plans`.'],
    OPERATION_UNKNOWN: ['There is no such operation, or it is not yours.', 'Check the id.'],
    PLACEMENT_UNKNOWN: ['There is no such placement.', 'Nothing: staff see to it.'],
    RESERVATION_UNKNOWN: ['There is no such reservation.', 'Nothing: staff see to it.'],
    SUBSCRIPTION_UNKNOWN: ['The container is not charged.', 'Nothing: staff see to it.'],
    ADD_ON_UNKNOWN: ['The account has no such add-on.', 'Take an id from its add-ons.'],
    INVOICE_UNKNOWN: ['The account has no such invoice.', 'Check both ids.'],
    PAYMENT_UNKNOWN: ['No payment has that reference.', 'Take one from the account’s payments.'],
    INVENTORY_UNKNOWN: ['No packages are known of it yet.', 'Ask again in a moment.'],
    INVENTORY_MISSING: ['A package list is not in the blob store.', 'Staff restore it.'],
    IMAGE_INVENTORY_MISSING: [
      'The image’s package list has not been stored.',
      'Store it first, then draft the image.',
    ],
    REPOSITORY_UNKNOWN: ['There is no such package repository.', 'Take an id from `repositories`.'],
    SNAPSHOT_MISSING: [
      'What a repository offers is not in the blob store.',
      'Staff read the repository again, or restore it.',
    ],
    PACKAGE_UNKNOWN: [
      'No enabled repository offers the package.',
      'Take a name from a repository’s packages.',
    ],
    PACKAGE_NOT_INSTALLED: [
      'The package is not installed in the container.',
      'Take a name from the container’s packages.',
    ],
    INVOICE_LINES_MISSING: ['An invoice’s lines are not in the blob store.', 'Staff restore it.'],
    ADDRESS_UNKNOWN: ['The container has no address by that lease.', 'Read its addresses.'],
  }),
  ...list('NotAllowed', {
    NOT_ALLOWED: ['Your role does not allow it.', 'Ask the provider’s staff.'],
    ROLE_NOT_ALLOWED: ['Only members of the provider are staff.', 'Give another role.'],
    RIGHTS_NOT_HELD: [
      'It would give rights that you do not have yourself.',
      'Give less, or ask an owner.',
    ],
    TENANT_KIND_NOT_ALLOWED: [
      'An account of that kind does not stand there.',
      'Take one of the kinds that `details` allow, or another parent.',
    ],
    NOT_BELOW_YOU: [
      'An account is closed, and its limit set, from above.',
      'Ask the one that invoices you.',
    ],
    PROVIDER_CANNOT_BE_ACTED_FOR: [
      'The provider’s people act for it as they are.',
      'Name one of its customers.',
    ],
    PROVIDER_CANNOT_BE_HELD: ['The provider cannot be held.', 'Hold the account concerned.'],
    PROVIDER_CANNOT_BE_CLOSED: ['The provider cannot be closed.', 'Nothing.'],
    PROVIDER_HAS_CATALOG: ['The provider’s prices are the catalog’s.', 'Replace the plan’s terms.'],
    TENANT_IS_PROVIDER: ['The provider owns no containers.', 'Order for a customer.'],
    TENANT_ON_HOLD: ['A hold stands on the account or above it.', 'Have it lifted first.'],
    TENANT_HELD: ['A hold stands on the account.', 'Have it lifted first.'],
    HOLD_OF_ACCOUNT: ['The hold stands on the account.', 'Have it lifted there.'],
  }),
  ...list('QuotaExceeded', {
    QUOTA_EXCEEDED: [
      'It would go beyond a limit of the account or of one above it.',
      'Give something back, or have the limit raised.',
    ],
  }),
  ...list('OutOfCapacity', {
    NO_NODE_WITH_ROOM: ['No node at the location has room.', 'Try another, or later.'],
    POOL_FULL: ['The pool has no free address of that family.', 'Try another location, or later.'],
  }),
  ...list('IdempotencyConflict', {
    IDEMPOTENCY_CONFLICT: [
      'The idempotencyKey was used before with other input.',
      'Take a new key for a new wish; send the same input to get the first result again.',
    ],
  }),
  ...list('VersionConflict', {
    VERSION_CONFLICT: [
      'The object has changed since the version you named.',
      'Read it again, then decide with its `version`.',
    ],
  }),
  ...list('Contention', {
    CONTENTION: [
      'Others kept changing the same thing; nothing was done.',
      'Send the same again, with the same key.',
    ],
  }),
  ...list('StateConflict', {
    TENANT_CLOSED: ['The account is closed.', 'Order for another.'],
    TENANT_EXISTS: ['The account exists.', 'Nothing.'],
    TENANT_HAS_TENANTS: ['Accounts are below it.', 'Close those first.'],
    TENANT_PLACED_ELSEWHERE: ['The account is elsewhere in the tree.', 'Check the id.'],
    TREE_FULL: [
      'The tree has as many accounts as there can be.',
      'Have the provider create another reseller.',
    ],
    LAST_OWNER: ['It is the account’s last owner.', 'Make somebody else an owner first.'],
    INVITATION_ACCEPTED: ['The invitation made a member.', 'Use the member’s keys.'],
    INVITATION_WITHDRAWN: ['The invitation was withdrawn.', 'Ask for another.'],
    INVITATION_EXPIRED: ['The invitation’s time is over.', 'Ask for another.'],
    INVITATIONS_FULL: ['Too many invitations wait.', 'Withdraw some first.'],
    KEY_ENDED: ['The key was revoked or has expired.', 'Create a new one.'],
    KEY_ROTATED_OFTEN: [
      'Too many earlier secrets of the key still open.',
      'Wait until one has ended, or rotate without overlap.',
    ],
    PROVIDER_EXISTS: ['There is exactly one provider.', 'Nothing.'],
    PERSON_ERASED: [
      'The person this is about was erased.',
      'Nothing: it cannot be done any more, nor told whether it was.',
    ],
    RETENTION_RUNS: [
      'The law has kept what was to be erased; `details.until` says how long.',
      'Name no purposes: it is then erased by itself.',
    ],
    KEY_EXISTS: ['The key exists.', 'Nothing.'],
    ENROLMENT_NOT_OPEN: [
      'The enrolment token of the node was used, replaced or never given out.',
      'Open another enrolment.',
    ],
    ENROLMENT_EXPIRED: ['The enrolment token has expired.', 'Open another enrolment.'],
    NODE_KEY_REVOKED: ['The key of the node’s agent was revoked.', 'Let the agent make a new one.'],
    HOLD_EXISTS: ['A hold of that kind stands there already.', 'Lift it first, or leave it.'],
    HOLD_LIFTED: ['The hold was lifted already.', 'Place a new one.'],
    CONTAINER_EXISTS: ['The container exists.', 'Nothing.'],
    CONTAINER_GONE: ['The container is being deleted, is deleted or failed.', 'Order another.'],
    CONTAINER_BUSY: ['Another operation holds the container.', 'Wait for its end, then repeat.'],
    CONTAINER_HELD: ['A hold stands on the container.', 'Resume it first.'],
    CONTAINER_NOT_READY: ['The container is not built yet.', 'Wait until it is, then repeat.'],
    CONTAINER_ALREADY_PLACED: ['The container has a place.', 'Nothing.'],
    IMAGE_NOT_PUBLISHED: ['The image cannot be ordered.', 'Take one from `images`.'],
    IMAGE_ALREADY_PUBLISHED: ['The image is published and stays as it is.', 'Draft another.'],
    IMAGE_NOT_TESTED: ['The image was not tested.', 'Test it first.'],
    IMAGE_TEST_FAILED: ['The image’s last test failed.', 'Draft another, or test again.'],
    IMAGE_INVENTORY_FIXED: ['The image has another package list.', 'Draft another image.'],
    PLAN_RETIRED: ['The plan cannot be ordered any more.', 'Take another.'],
    PLAN_CODE_TAKEN: ['The code names a plan with other terms.', 'Take another code.'],
    RANGE_OVERLAPS: ['The range overlaps a registered one.', 'Take another.'],
    PERIOD_NOT_OVER: ['The month is not over.', 'Wait for its end.'],
    PERIOD_ENDS_LATER: [
      'The period ends after the order would have waited.',
      'Order it nearer the end, or for now.',
    ],
    PAYMENT_DIFFERS: [
      'The reference is that of a payment with another amount.',
      'Give the other payment its own reference.',
    ],
    MONTH_NOT_CLOSED: ['The month is not closed.', 'Close it first.'],
    INVOICE_DIFFERS: ['The invoice was booked with other facts.', 'Staff see to it.'],
    SUBSCRIPTION_ENDED: ['Charging of the container has ended.', 'Nothing.'],
    OPERATION_ENDED: [
      'The operation has ended.',
      'Look at its outcome; of what a released one left, at its `leftovers`.',
    ],
    OPERATION_NEEDS_ATTENTION: [
      'The operation waits for the provider’s staff.',
      'Wait until they have seen to it.',
    ],
    OPERATION_NEEDS_NO_ATTENTION: [
      'The operation goes on by itself.',
      'Wait until it ends or needs attention.',
    ],
    OPERATION_CANNOT_BE_CANCELLED: [
      'The operation is past the point where it can be undone.',
      'Wait for its end, then order the opposite.',
    ],
    OPERATION_FAILED: ['The operation could not be done.', 'Look at its steps.'],
    STEP_FAILED: ['A step could not be done.', 'Order again, or ask the provider’s staff.'],
    STEP_TIMED_OUT: ['A step was not answered in time.', 'Order again.'],
    ASK_EXPIRED: ['A step came after its deadline.', 'Order again.'],
    ASK_SUPERSEDED: ['The operation asked for something else meanwhile.', 'Nothing.'],
    LEASE_SOUGHT: ['The lease is being sought.', 'Nothing.'],
    LEASE_VOIDED: ['The lease was given back before it began.', 'Order again.'],
    LEASE_DETACHED: ['The address was taken away before it was attached.', 'Order again.'],
    LEASE_NOT_HERE: ['The lease is of another range.', 'Nothing.'],
    PLACEMENT_SOUGHT: ['The place is being sought.', 'Nothing.'],
    PLACEMENT_VOIDED: ['The place was given back before it was taken.', 'Order again.'],
    PLACEMENT_NOT_HERE: ['The placement is of another node.', 'Nothing.'],
    RESERVATION_LATE: ['The reservation came after its deadline.', 'Order again.'],
    RESERVATION_ENDED: ['The reservation was given back.', 'Order again.'],
    RESERVATION_DIFFERS: ['The reservation was made for something else.', 'Order again.'],
    USAGE_EARLY: ['A node reported the use of an hour that is not over.', 'Set its clock right.'],
    USAGE_DIFFERS: [
      'A node reported an hour again, with other figures.',
      'Nothing: the first stands.',
    ],
    USAGE_HOUR_NOT_OVER: ['Nodes may still report the hour.', 'Wait.'],
    RESERVATION_NOT_DUE: ['The reservation is not overdue.', 'Nothing.'],
    RESERVATION_NOT_COMMITTED: [
      'What is to be replaced is itself only reserved.',
      'Send it again in a moment.',
    ],
    TRANSFER_UNDER_WAY: [
      'Another reservation is to take its place already.',
      'Wait until the other change has ended.',
    ],
    LIMIT_ENDS_IN_THE_PAST: [
      'The limit was to end before now.',
      'Give an instant to come, or none.',
    ],
    LIMIT_NOT_ENDED: ['The limit has not ended yet.', 'Nothing.'],
    INSTRUCTION_NOT_DUE: ['The node still has time to answer.', 'Nothing.'],
    INSTRUCTION_FOREIGN: ['The instruction is another node’s.', 'Nothing.'],
    NODE_REFUSED: ['The node refused the step.', 'Order again.'],
    NODE_FAILED: ['The node could not do the step.', 'Order again, or ask the staff.'],
    CONTAINER_SOFT_DELETED: ['The container was deleted and can be restored.', 'Restore it first.'],
    CONTAINER_WRONG_LIFECYCLE: [
      'The container is stopped, running or frozen, and the wish needs another.',
      'Start, stop or thaw it first; `details` says what is allowed.',
    ],
    LIMITS_NOT_APPLICABLE: [
      'The node cannot give the container the plan’s limits.',
      'Take another plan, or free what it uses.',
    ],
    REPOSITORY_EXISTS: [
      'The repository’s name is taken, with another place or architecture.',
      'Take another name.',
    ],
    REPODATA_CORRUPT: [
      'A repository’s metadata is damaged; the message names the file and what is wrong.',
      'Read it again, or make it anew.',
    ],
    REPODATA_UNSUPPORTED: [
      'A repository’s metadata is made in a way that is not read.',
      'Make it as the message says.',
    ],
    REPODATA_TOO_LARGE: [
      'A repository has more than is read of one.',
      'Split it into several repositories.',
    ],
    DEPENDENCY_UNRESOLVED: [
      'A package requires what no enabled repository provides; `details` says what.',
      'Have it provided, or leave the package out.',
    ],
    PACKAGE_CONFLICT: [
      'Two packages cannot be installed together; `details` says which and why.',
      'Leave one out, or remove the other first.',
    ],
    PACKAGE_REQUIRED_BY: [
      'Others that are installed require the package; `details` says which.',
      'Remove those as well, or leave it.',
    ],
    NOTHING_TO_DO: ['All of it is so already.', 'Nothing.'],
    PACKAGES_NOT_CHANGED: [
      'rpm changed nothing and said why.',
      'Mend what it says, then order again.',
    ],
    RESTORE_WINDOW_ENDED: ['The container can be restored no more.', 'Order another.'],
    RESTORE_WINDOW_OPEN: ['The container can still be restored.', 'Nothing.'],
    OPERATION_RELEASED: ['Staff have released the operation.', 'Order again.'],
    RESIZE_VOIDED: ['The resize was given up before it began.', 'Order again.'],
    RESIZE_PENDING: [
      'Another resize of the container has not ended.',
      'Send the same again in a moment.',
    ],
    LAST_ADDRESS: ['The container would have no address left.', 'Leave it one, or delete it.'],
    IMAGE_DEPRECATED: [
      'There is a better image; this one takes no new orders.',
      'Take one from `images`.',
    ],
    IMAGE_WITHDRAWN: ['The image must not be used any more.', 'Take one from `images`.'],
    ADDRESS_TAKEN: [
      'The address is leased, reserved, or rests after its last lease.',
      'Take another, or none for any free one.',
    ],
    INSTANCE_ELSEWHERE: [
      'An instance is on a node that is not its container’s.',
      'Look at the node’s stray instances.',
    ],
    INSTANCE_OLD: [
      'An instance is of another generation of its container.',
      'Look at the node’s stray instances.',
    ],
    INSTANCE_GONE: [
      'An instance is of a container that is deleted.',
      'Look at the node’s stray instances.',
    ],
    PARKED_AT_OTHER_EVENT: [
      'The home is parked at another event.',
      'Read the parked homes again and look at that event.',
    ],
    STRAY_WANTED: [
      'The container has its place on that node.',
      'Purge the container, or have it reconciled.',
    ],
  }),
  ...list('Unavailable', {
    UNAVAILABLE: [
      'A store or service cannot be reached; nothing was done.',
      'Send the same again, with the same key.',
    ],
    OUTCOME_UNKNOWN: [
      'It may or may not have been done.',
      'Send the same again, with the same key: it gives the one result.',
    ],
    SHUTTING_DOWN: ['This replica is stopping.', 'Send the same again, with the same key.'],
    REPOSITORY_UNREACHABLE: [
      'A package repository cannot be read.',
      'See that it is there, then send the same again.',
    ],
    NODE_TIMEOUT: ['The node did not answer in time.', 'Order again.'],
  }),
  ...list('RefusedError', {
    OTHER: [
      'A service refused with a code this gateway does not know; `reason` has it.',
      'Read the message.',
    ],
  }),
]);
