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

local function take_turn(turns, who)
  -- To the end of the row; the one who is there longest stands first.
  local last = redis.call('ZREVRANGE', turns, 0, 0, 'WITHSCORES')[2] or 0
  redis.call('ZADD', turns, last + 1, who)
end

local function lane_of(job)
  return tonumber(redis.call('HGET', 'job:' .. job, 'heavy') or 0) > 0 and 'heavy' or 'score'
end

local function leave(job)
  -- Out of the row of its project, and the project out of the row of all when it has no other job that waits.
  local project = redis.call('GET', 'project:' .. job) or ''
  for _, lane in ipairs({'score', 'heavy'}) do
    local jobs = 'turns:' .. lane .. ':' .. project
    redis.call('ZREM', jobs, job)
    if redis.call('EXISTS', jobs) == 0 then redis.call('ZREM', 'turns:' .. lane, project) end
  end
end

local function enlist(job, project, deadline)
  -- Its queues wait for their turn; whoever waits already keeps his place.
  redis.call('SET', 'project:' .. job, project, 'NX', 'EXAT', deadline + 86400)
  local turns, mine = 'turns:' .. lane_of(job), redis.call('GET', 'project:' .. job)
  if not redis.call('ZSCORE', turns, mine) then take_turn(turns, mine) end
  if not redis.call('ZSCORE', turns .. ':' .. mine, job) then take_turn(turns .. ':' .. mine, job) end
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
-- KEYS job queues; ARGV names issued_at planned heavy project
-- Names a job's queues, once: later calls change nothing. From now on they wait for their turn.
local deadline = deadline_of_run()
if not deadline or redis.call('HEXISTS', KEYS[1], 'queues') == 1 then return 0 end
local names = cjson.decode(ARGV[1])
for _, name in ipairs(names) do redis.call('RPUSH', KEYS[2], name) end
redis.call('EXPIREAT', KEYS[2], deadline + 86400)
redis.call('HSET', KEYS[1], 'queues', #names, 'issued_at', ARGV[2], 'planned', ARGV[3], 'candidates_total', #names * ARGV[3])
redis.call('HSET', KEYS[1], 'heavy', ARGV[4])
if #names > 0 then enlist(string.sub(KEYS[1], 5), ARGV[5], deadline) end
return 1

-- function: enlist
-- KEYS job; ARGV project
-- For a job whose queues wait and that stands in no row, as the release before this one has left it.
local deadline = deadline_of_run()
local total, next = unpack(redis.call('HMGET', KEYS[1], 'queues', 'next'))
if deadline and total and tonumber(next or 0) < tonumber(total) then enlist(string.sub(KEYS[1], 5), ARGV[1], deadline) end

-- function: let_in
-- ARGV always few few_tasks score_tasks heavy_tasks now
-- Lets queues in, of the projects in turn and within a project of its jobs in turn, as long as there is room; a project of which
-- none runs has room for one. What runs is counted over all jobs of a lane: those with heavy candidates hold up none without.
-- Nothing is kept that could be wrong: `let_in:{lane}` names the jobs to look at, the numbers are those of the jobs themselves.
-- A queue that waits for a service does not count, but a job of which few wait so has to wait itself. Returns job, queue, job, queue …
local always, few, few_tasks, score_tasks, heavy_tasks = unpack(ARGV, 1, 5)
always, few, few_tasks = tonumber(always), tonumber(few), tonumber(few_tasks)
local let_in = {}

local function look_at(job)
  -- How many of the job's queues have been let in and not ended, how many of these wait for a service, how many are to come.
  local total, next = unpack(redis.call('HMGET', 'job:' .. job, 'queues', 'next'))
  if not total then return 0, 0, 0 end
  next = tonumber(next or 0)
  local waiting = redis.call('HLEN', 'waiting:' .. job) - redis.call('HEXISTS', 'waiting:' .. job, '')
  return next - redis.call('HLEN', 'done:' .. job), waiting, total - next
end

local function add(sum, job, queues)
  local planned, heavy = unpack(redis.call('HMGET', 'job:' .. job, 'planned', 'heavy'))
  local project = redis.call('GET', 'project:' .. job) or ''
  sum.queues = sum.queues + queues
  sum.tasks = sum.tasks + queues * (planned or 1)
  sum.heavy = sum.heavy + queues * (heavy or 0)
  sum.of[project] = (sum.of[project] or 0) + queues
end

local function count(lane)
  -- What runs in a lane: queues, their tasks, those of them that are heavy, and queues by project.
  local sum = {queues = 0, tasks = 0, heavy = 0, of = {}}
  for _, job in ipairs(redis.call('SMEMBERS', 'let_in:' .. lane)) do
    local inside, waiting = look_at(job)
    if inside <= 0 then redis.call('SREM', 'let_in:' .. lane, job) else add(sum, job, math.max(0, inside - waiting)) end
  end
  return sum
end

local function has_room(lane, sum)
  if sum.queues < always or (sum.queues < few and sum.tasks < few_tasks) then return true end
  return sum.tasks < tonumber(score_tasks) or (lane == 'heavy' and sum.heavy < tonumber(heavy_tasks))
end

local function next_of(turns)
  -- The job of a project whose turn it is; jobs that have ended or have nothing more to let in leave the row.
  local place = 0
  while true do
    local job = redis.call('ZRANGE', turns, place, place)[1]
    if not job then return nil end
    local _, waiting, to_come = look_at(job)
    if to_come <= 0 then redis.call('ZREM', turns, job)
    elseif waiting < few then return job
    else place = place + 1 end
  end
end

local function whose_turn(lane, sum)
  local is_open = has_room(lane, sum)
  for _, project in ipairs(redis.call('ZRANGE', 'turns:' .. lane, 0, -1)) do
    if is_open or (sum.of[project] or 0) == 0 then
      local job = next_of('turns:' .. lane .. ':' .. project)
      if job then return project, job end
      if redis.call('EXISTS', 'turns:' .. lane .. ':' .. project) == 0 then redis.call('ZREM', 'turns:' .. lane, project) end
    end
  end
end

local function release(job)
  local next = redis.call('HINCRBY', 'job:' .. job, 'next', 1) - 1
  local queue = redis.call('LINDEX', 'queues:' .. job, next)
  if not queue then return end
  redis.call('HSET', 'released:' .. job, queue, ARGV[6])
  redis.call('EXPIREAT', 'released:' .. job, redis.call('HGET', 'job:' .. job, 'deadline_at') + 86400)
  let_in[#let_in + 1], let_in[#let_in + 2] = job, queue
end

for _, lane in ipairs({'score', 'heavy'}) do
  local sum, turns = count(lane), 'turns:' .. lane
  local project, job = whose_turn(lane, sum)
  while job do
    release(job)
    redis.call('SADD', 'let_in:' .. lane, job)
    take_turn(turns, project)
    take_turn(turns .. ':' .. project, job)
    local _, _, to_come = look_at(job)
    if to_come <= 0 then leave(job) end
    add(sum, job, 1)
    project, job = whose_turn(lane, sum)
  end
end
return let_in

-- function: keep_work
-- KEYS job data candidates done waiting; ARGV snapshot work count queue
-- Snapshot and candidates together, first writer wins: an index never changes its meaning. It waits for its source no more.
local deadline = deadline_of_run()
if deadline then redis.call('HDEL', KEYS[5], ARGV[4]) end
if not deadline or redis.call('EXISTS', KEYS[3]) == 1 or redis.call('HEXISTS', KEYS[4], ARGV[4]) == 1 then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'EXAT', deadline + 86400)
redis.call('SET', KEYS[3], ARGV[2], 'EXAT', deadline + 86400)
redis.call('HINCRBY', KEYS[1], 'candidates_total', ARGV[3] - redis.call('HGET', KEYS[1], 'planned'))
return 1

-- function: end_queue
-- KEYS job done waiting candidates and what else the queue has; ARGV queue reason
-- 1: this call ended the queue, and nothing of it is left but its end; 0: it had ended already, or the job has.
local deadline = deadline_of_run()
if not deadline or redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('EXPIREAT', KEYS[2], deadline + 86400)
if ARGV[2] ~= '' then redis.call('HINCRBY', KEYS[1], 'queues_failed', 1) end
if redis.call('EXISTS', KEYS[4]) == 0 then
  redis.call('HINCRBY', KEYS[1], 'candidates_total', -redis.call('HGET', KEYS[1], 'planned'))
end
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('UNLINK', unpack(KEYS, 4))
return 1

-- function: forgive
-- KEYS job attempt; ARGV what
-- Only what was counted: the queue may have ended since.
if deadline_of_run() and redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then redis.call('HINCRBY', KEYS[2], ARGV[1], -1) end

-- function: note_waiting
-- KEYS job waiting done; ARGV queue reason
local deadline = deadline_of_run()
if not deadline or redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then return end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('EXPIREAT', KEYS[2], deadline + 86400)

-- function: drop
-- KEYS job queues; ARGV job kinds_per_job kinds_per_queue
-- Deletes all that the job has, but nothing of another run than the caller's.
if redis.call('EXISTS', KEYS[1]) == 1 and not deadline_of_run() then return end
leave(ARGV[1])
for _, lane in ipairs({'score', 'heavy'}) do redis.call('SREM', 'let_in:' .. lane, ARGV[1]) end
local queues = redis.call('LRANGE', KEYS[2], 0, -1)
queues[#queues + 1] = ''
for _, kind in ipairs(cjson.decode(ARGV[3])) do
  for _, queue in ipairs(queues) do redis.call('UNLINK', kind .. ':' .. ARGV[1] .. ':' .. queue) end
end
for _, kind in ipairs(cjson.decode(ARGV[2])) do redis.call('UNLINK', kind .. ':' .. ARGV[1]) end
redis.call('SREM', 'active', ARGV[1])
