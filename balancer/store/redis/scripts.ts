// What Redis does in one step. Each script names its keys, so that it also runs in a Redis Cluster, and computes nothing that a host could not.

export interface Script {
  readonly keys: number;
  readonly lua: string;
}

/** Key: head. Where the chain ends. */
const HEAD = `
local head = redis.call('HMGET', KEYS[1], 'revision', 'hash')
local revision, hash = head[1] or '0', head[2] or ''
`;

/**
 * Keys: head, log, snapshot, configs, lease. Arguments: expected revision and hash, revision, hash, entry, snapshot, channel, `holder fence` or nothing,
 * fingerprint and text of a config or nothing.
 */
export const APPEND: Script = {
  keys: 5,
  lua: `${HEAD}
if hash == ARGV[4] then return {'stored'} end
if revision ~= ARGV[1] or hash ~= ARGV[2] then return {'moved', revision, hash} end
if ARGV[8] ~= '' and redis.call('GET', KEYS[5]) ~= ARGV[8] then return {'fenced'} end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[5])
if ARGV[9] ~= '' then redis.call('HSET', KEYS[4], ARGV[9], ARGV[10]) end
redis.call('SET', KEYS[3], ARGV[6])
redis.call('HSET', KEYS[1], 'revision', ARGV[3], 'hash', ARGV[4])
redis.call('PUBLISH', ARGV[7], ARGV[3])
return {'stored'}`,
};

/** Keys: head, log, snapshot. Arguments: revision and hash that are there, last common revision, revision, hash, snapshot, channel, then revision and entry of each. */
export const REPLACE: Script = {
  keys: 3,
  lua: `${HEAD}
if hash == ARGV[5] then return {'stored'} end
local from, to = tonumber(revision), tonumber(ARGV[4])
local above = to > from or (to == from and ARGV[5] < hash)
if revision ~= ARGV[1] or hash ~= ARGV[2] or not above then return {'moved', revision, hash} end
for old = tonumber(ARGV[3]) + 1, from do redis.call('HDEL', KEYS[2], tostring(old)) end
for at = 8, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1]) end
redis.call('SET', KEYS[3], ARGV[6])
redis.call('HSET', KEYS[1], 'revision', ARGV[4], 'hash', ARGV[5])
redis.call('PUBLISH', ARGV[7], ARGV[4])
return {'stored'}`,
};

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Keys: head, texts of hosts, deadlines, counts, served revisions, instances, digest, demands, their numbers. Arguments: id, text, milliseconds to live,
 * instance, counts, served revision, version of the digest that is known, demand or nothing. Answers with the head, the time in milliseconds, another place that wanted the id, the version and text of the
 * digest; or with who has the id.
 */
export const ANNOUNCE: Script = {
  keys: 9,
  lua: `${HEAD}${NOW}
local id = ARGV[1]
local instance = redis.call('HGET', KEYS[6], id)
local deadline = redis.call('ZSCORE', KEYS[3], id)
if instance and instance ~= ARGV[4] and deadline and tonumber(deadline) > now then
  redis.call('HSET', KEYS[6], id .. '/twin', ARGV[2])
  return {'taken', redis.call('HGET', KEYS[2], id) or ''}
end
redis.call('HSET', KEYS[2], id, ARGV[2])
redis.call('ZADD', KEYS[3], now + ARGV[3], id)
redis.call('HSET', KEYS[4], id, ARGV[5])
redis.call('ZADD', KEYS[5], ARGV[6], id)
redis.call('HSET', KEYS[6], id, ARGV[4])
if ARGV[8] ~= '' then
  redis.call('HSET', KEYS[8], id, ARGV[8])
  redis.call('ZADD', KEYS[9], redis.call('HINCRBY', KEYS[1], 'told', 1), id)
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)) do
  redis.call('HDEL', KEYS[2], gone)
  redis.call('ZREM', KEYS[3], gone)
  redis.call('HDEL', KEYS[4], gone)
  redis.call('ZREM', KEYS[5], gone)
  redis.call('HDEL', KEYS[6], gone, gone .. '/twin')
  redis.call('HDEL', KEYS[8], gone)
  redis.call('ZREM', KEYS[9], gone)
end
local twin = redis.call('HGET', KEYS[6], id .. '/twin')
if twin then redis.call('HDEL', KEYS[6], id .. '/twin') end
local digest = redis.call('HMGET', KEYS[7], 'version', 'text')
if not digest[1] or digest[1] == ARGV[7] then digest = {'', ''} end
return {'announced', revision, hash, string.format('%.0f', now), twin or '', digest[1], digest[2]}`,
};

/** Keys: texts of hosts (or what else is kept by id), deadlines. Answers with id and text of each that lives, in turns. */
export const HOSTS: Script = {
  keys: 2,
  lua: `${NOW}
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now), '+inf')) do
  found[#found + 1] = id
  found[#found + 1] = redis.call('HGET', KEYS[1], id) or ''
end
return found`,
};

/** Keys: texts of hosts, deadlines, served revisions. Argument: revision. Answers with id and text of each that lives and serves a lower one, in turns. */
export const BEHIND: Script = {
  keys: 3,
  lua: `${NOW}
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[1])) do
  if tonumber(redis.call('ZSCORE', KEYS[2], id) or '0') > now then
    found[#found + 1] = id
    found[#found + 1] = redis.call('HGET', KEYS[1], id) or ''
  end
end
return found`,
};

/**
 * Keys: head, demands, their numbers, deadlines. Arguments: number, limit. Answers with id, number and text of each that lives and was told after that
 * number, in turns, lowest number first.
 */
export const DEMANDS: Script = {
  keys: 4,
  lua: `${NOW}
local after = tonumber(ARGV[1])
if after > tonumber(redis.call('HGET', KEYS[1], 'told') or '0') then after = 0 end
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. string.format('%.0f', after), '+inf', 'LIMIT', 0, ARGV[2])) do
  if tonumber(redis.call('ZSCORE', KEYS[4], id) or '0') > now then
    found[#found + 1] = id
    found[#found + 1] = redis.call('ZSCORE', KEYS[3], id)
    found[#found + 1] = redis.call('HGET', KEYS[2], id) or ''
  end
end
return found`,
};

/** Keys: lease, digest. Arguments: `holder fence`, text. Answers 1, or 0: the lease is lost. */
export const PUBLISH_DIGEST: Script = {
  keys: 2,
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[2], 'version', 1)
redis.call('HSET', KEYS[2], 'text', ARGV[2])
return 1`,
};

/** Keys: texts of hosts, deadlines, counts, served revisions, instances, demands, their numbers. Arguments: id, instance. */
export const WITHDRAW: Script = {
  keys: 7,
  lua: `
if redis.call('HGET', KEYS[5], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('HDEL', KEYS[5], ARGV[1], ARGV[1] .. '/twin')
redis.call('HDEL', KEYS[6], ARGV[1])
redis.call('ZREM', KEYS[7], ARGV[1])
return redis.call('ZREM', KEYS[2], ARGV[1])`,
};

/** Keys: lease, head. Arguments: holder, milliseconds. Answers with the fence, or 0: somebody else has it. */
export const TAKE_LEASE: Script = {
  keys: 2,
  lua: `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local fence = redis.call('HINCRBY', KEYS[2], 'fence', 1)
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. fence, 'PX', ARGV[2])
return fence`,
};

/** Keys: lease. Arguments: `holder fence`, milliseconds. Answers 1, or 0: it is lost. */
export const RENEW_LEASE: Script = {
  keys: 1,
  lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`,
};

/** Keys: lease. Argument: `holder fence`. */
export const RELEASE_LEASE: Script = {
  keys: 1,
  lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`,
};
