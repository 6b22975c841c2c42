-- The steps of the run state that must be atomic. KEYS[1] is always the job's hash: a job without it has ended, and nothing is
-- written for it. The last of ARGV is the run of the job that the caller works in, '' = whichever there is: for another run
-- nothing is written either. What is written expires a day after the job's deadline, in case nobody deletes it. A queue that has
-- ended leaves its end only, and a task that comes late must not make its keys again: whoever would, looks into `done`.

local function deadline_of_run()
  local deadline, run = unpack(redis.call('HMGET', KEYS[1], 'deadline_at', 'run'))
  if ARGV[#ARGV] ~= '' and ARGV[#ARGV] ~= run then return false end
  return deadline
end

local function keep_outcome(deadline)
  -- KEYS[2] outcome, KEYS[3] done; ARGV index outcome is_failure queue. The first writer's counts. Whether the queue still runs.
  if redis.call('HEXISTS', KEYS[3], ARGV[4]) == 1 then return false end
  if redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) == 0 then return true end
  redis.call('EXPIREAT', KEYS[2], deadline + 86400)
  redis.call('HINCRBY', KEYS[1], 'candidates_done', 1)
  redis.call('HINCRBY', KEYS[1], 'candidates_failed', ARGV[3])
  return true
end

-- function: begin
-- KEYS job done outcome attempt; ARGV queue what
-- The number of this attempt, or 0: the job or queue has ended, or the outcome is there.
local deadline = deadline_of_run()
if not deadline then return 0 end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
if redis.call('HEXISTS', KEYS[3], ARGV[2]) == 1 then return 0 end
local attempt = redis.call('HINCRBY', KEYS[4], ARGV[2], 1)
redis.call('EXPIREAT', KEYS[4], deadline + 86400)
return attempt

-- function: record
-- KEYS job outcome done; ARGV index outcome is_failure queue
-- How many outcomes the queue has, the first writer's among them; -1: the job or queue has ended.
local deadline = deadline_of_run()
if not deadline or not keep_outcome(deadline) then return -1 end
return redis.call('HLEN', KEYS[2])

-- function: record_and_begin
-- KEYS job outcome done attempt; ARGV index outcome is_failure queue next
-- As `record`, and then `begin` for the candidate `next`; its attempt's number, or 0.
local deadline = deadline_of_run()
if not deadline or not keep_outcome(deadline) or redis.call('HEXISTS', KEYS[2], ARGV[5]) == 1 then return 0 end
return redis.call('HINCRBY', KEYS[4], ARGV[5], 1)

-- function: name_queues
-- KEYS job queues; ARGV names issued_at planned
-- Names a job's queues, once: later calls change nothing.
local deadline = deadline_of_run()
if not deadline or redis.call('HEXISTS', KEYS[1], 'queues') == 1 then return 0 end
local names = cjson.decode(ARGV[1])
for _, name in ipairs(names) do redis.call('RPUSH', KEYS[2], name) end
redis.call('EXPIREAT', KEYS[2], deadline + 86400)
redis.call('HSET', KEYS[1], 'queues', #names, 'issued_at', ARGV[2], 'planned', ARGV[3], 'candidates_total', #names * ARGV[3])
return 1

-- function: release
-- KEYS job queues released done; ARGV window now
-- Lets queues in while fewer than `window` run; returns the names let in by this call.
local deadline = deadline_of_run()
if not deadline then return {} end
local total = tonumber(redis.call('HGET', KEYS[1], 'queues') or 0)
local next = tonumber(redis.call('HGET', KEYS[1], 'next') or 0)
local done = redis.call('HLEN', KEYS[4])
local names = {}
while next < total and next - done < tonumber(ARGV[1]) do
  local name = redis.call('LINDEX', KEYS[2], next)
  redis.call('HSET', KEYS[3], name, ARGV[2])
  names[#names + 1] = name
  next = next + 1
end
redis.call('HSET', KEYS[1], 'next', next)
redis.call('EXPIREAT', KEYS[3], deadline + 86400)
return names

-- function: keep_work
-- KEYS job data candidates done; ARGV snapshot work count queue
-- Snapshot and candidates together, first writer wins: an index never changes its meaning.
local deadline = deadline_of_run()
if not deadline or redis.call('EXISTS', KEYS[3]) == 1 or redis.call('HEXISTS', KEYS[4], ARGV[4]) == 1 then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'EXAT', deadline + 86400)
redis.call('SET', KEYS[3], ARGV[2], 'EXAT', deadline + 86400)
redis.call('HINCRBY', KEYS[1], 'candidates_total', ARGV[3] - redis.call('HGET', KEYS[1], 'planned'))
return 1

-- function: end_queue
-- KEYS job done candidates and what else the queue has; ARGV queue reason
-- 1: this call ended the queue, and nothing of it is left but its end; 0: it had ended already, or the job has.
local deadline = deadline_of_run()
if not deadline or redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('EXPIREAT', KEYS[2], deadline + 86400)
if ARGV[2] ~= '' then redis.call('HINCRBY', KEYS[1], 'queues_failed', 1) end
if redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('HINCRBY', KEYS[1], 'candidates_total', -redis.call('HGET', KEYS[1], 'planned'))
end
redis.call('UNLINK', unpack(KEYS, 3))
return 1

-- function: forgive
-- KEYS job attempt; ARGV what
-- Only what was counted: the queue may have ended since.
if deadline_of_run() and redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then redis.call('HINCRBY', KEYS[2], ARGV[1], -1) end

-- function: note_waiting
-- KEYS job waiting; ARGV queue reason
local deadline = deadline_of_run()
if not deadline then return end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('EXPIREAT', KEYS[2], deadline + 86400)

-- function: drop
-- KEYS job queues; ARGV job kinds_per_job kinds_per_queue
-- Deletes all that the job has, but nothing of another run than the caller's.
if redis.call('EXISTS', KEYS[1]) == 1 and not deadline_of_run() then return end
local queues = redis.call('LRANGE', KEYS[2], 0, -1)
queues[#queues + 1] = ''
for _, kind in ipairs(cjson.decode(ARGV[3])) do
  for _, queue in ipairs(queues) do redis.call('UNLINK', kind .. ':' .. ARGV[1] .. ':' .. queue) end
end
for _, kind in ipairs(cjson.decode(ARGV[2])) do redis.call('UNLINK', kind .. ':' .. ARGV[1]) end
redis.call('SREM', 'active', ARGV[1])
