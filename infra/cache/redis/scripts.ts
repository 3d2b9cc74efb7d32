/**
 * What Redis runs for us, each atomically. Keys are handed in; every number is text that reads back as
 * the same double.
 */

/**
 * A leaky bucket. The state is `level at leak`, as in {@link ../buckets.ts}; it lasts until the bucket is
 * empty, which is the same as none. Where the time is given, the server's own says nothing of when that
 * is: then it stays.
 *
 * KEYS: the bucket. ARGV: cost, capacity, leak (units per second), now (milliseconds; '' = the server's).
 * Answers whether it was taken (1 or 0) and the level after it.
 */
export const TAKE = `
local cost, capacity, leak, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end
local level = 0
local kept = redis.call('GET', KEYS[1])
if kept then
  local was, at, leaked = string.match(kept, '^(%S+) (%S+) (%S+)$')
  level = math.max(0, tonumber(was) - math.max(0, now - tonumber(at)) * tonumber(leaked) / 1000)
end
local taken = 0
if level + cost <= capacity then
  taken = 1
  level = level + cost
end
local text = string.format('%.17g', level)
local state = text .. ' ' .. string.format('%.17g', now) .. ' ' .. string.format('%.17g', leak)
if level == 0 then
  redis.call('DEL', KEYS[1])
elseif leak == 0 or tonumber(ARGV[4]) then
  redis.call('SET', KEYS[1], state)
else
  -- No key lasts longer than a year: Redis takes no end beyond its numbers.
  local empty = math.min(math.ceil(level * 1000 / leak) + 1, 31536000000)
  redis.call('SET', KEYS[1], state, 'PX', string.format('%.0f', empty))
end
return { taken, text }
`;

/**
 * A lease. KEYS: the lease, the last token given. ARGV: holder, milliseconds, the greatest token that
 * the asker knows of.
 *
 * A token is greater than the last one, than any that the asker has seen, and not less than the server's
 * time in microseconds: so it grows also where Redis has lost everything.
 * Answers 1 and the token, or 0 and the token of who holds it.
 */
export const LEASE = `
local held = redis.call('GET', KEYS[1])
if held then
  local token, holder = string.match(held, '^(%d+) (.*)$')
  if holder ~= ARGV[1] then return { 0, token } end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return { 1, token }
end
local time = redis.call('TIME')
local token = math.max(
  time[1] * 1000000 + time[2],
  tonumber(redis.call('GET', KEYS[2]) or '0') + 1,
  tonumber(ARGV[3]) + 1
)
local text = string.format('%.0f', token)
redis.call('SET', KEYS[2], text)
redis.call('SET', KEYS[1], text .. ' ' .. ARGV[1], 'PX', ARGV[2])
return { 1, text }
`;

/** Ends a lease where this holder has it. KEYS: the lease. ARGV: holder. */
export const RELEASE = `
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^%d+ (.*)$') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
`;
