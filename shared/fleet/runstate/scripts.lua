-- The steps of the run state that must be atomic, each a function of `steps`: KEYS come by name as its `keys`, what the caller
-- gives as its arguments. ARGV[1] names the step, ARGV[2] the run of the job that the caller works in, '' = whichever there is.
-- keys[1] is the job's hash, but of `let_in`, `join` and `workers`: a job without it has ended, and nothing is written for it, nor
-- for another run than the caller's. What is written expires a day after the job's deadline, in case nobody deletes it. A queue
-- that has ended leaves its end only, and a task that comes late must not make its keys again: whoever would, looks into `done`.

local DAY = 86400
local MANY = 6  -- times as long as a member counts as living is more than any has asked for
local LANES = {'score', 'heavy'}
local step, caller = ARGV[1], ARGV[2]
local call, steps = redis.call, {}

local function deadline_of_run()
  local deadline, run = unpack(call('HMGET', KEYS[1], 'deadline_at', 'run'))
  if caller ~= '' and caller ~= run then return false end
  return deadline
end

local function keep_outcome(deadline, job, outcomes, done, queue, index, outcome, is_failure)
  -- The first writer's counts. Whether the queue still runs.
  if call('HEXISTS', done, queue) == 1 then return false end
  if call('HSETNX', outcomes, index, outcome) == 0 then return true end
  call('EXPIREAT', outcomes, deadline + DAY)
  call('HINCRBY', job, 'candidates_done', 1)
  call('HINCRBY', job, 'candidates_failed', is_failure)
  return true
end

local function take_turn(turns, who)
  -- To the end of the row; the one who is there longest stands first.
  local last = call('ZREVRANGE', turns, 0, 0, 'WITHSCORES')[2] or 0
  call('ZADD', turns, last + 1, who)
end

local function lane_of(job)
  return tonumber(call('HGET', 'job:' .. job, 'heavy') or 0) > 0 and 'heavy' or 'score'
end

local function leave(job)
  -- Out of the row of its project, and the project out of the row of all when it has no other job that waits.
  local project = call('GET', 'project:' .. job) or ''
  for _, lane in ipairs(LANES) do
    local jobs = 'turns:' .. lane .. ':' .. project
    call('ZREM', jobs, job)
    if call('EXISTS', jobs) == 0 then call('ZREM', 'turns:' .. lane, project) end
  end
end

local function enlist(job, project, deadline)
  -- Its queues wait for their turn; whoever waits already keeps his place.
  call('SET', 'project:' .. job, project, 'NX', 'EXAT', deadline + DAY)
  local turns, mine = 'turns:' .. lane_of(job), call('GET', 'project:' .. job)
  if not call('ZSCORE', turns, mine) then take_turn(turns, mine) end
  if not call('ZSCORE', turns .. ':' .. mine, job) then take_turn(turns .. ':' .. mine, job) end
end

-- A queue's attempts and outcomes

function steps.begin(keys, queue, what)
  -- The number of this attempt, or 0: the job or queue has ended, or the outcome is there.
  local _, done, outcomes, attempts = unpack(keys)
  local deadline = deadline_of_run()
  if not deadline then return 0 end
  if call('HEXISTS', done, queue) == 1 or call('HEXISTS', outcomes, what) == 1 then return 0 end
  local attempt = call('HINCRBY', attempts, what, 1)
  call('EXPIREAT', attempts, deadline + DAY)
  return attempt
end

function steps.forgive(keys, what)
  -- Only what was counted: the queue may have ended since.
  local _, attempts = unpack(keys)
  if deadline_of_run() and call('HEXISTS', attempts, what) == 1 then call('HINCRBY', attempts, what, -1) end
end

function steps.record(keys, queue, index, outcome, is_failure)
  -- How many outcomes the queue has, the first writer's among them; -1: the job or queue has ended.
  local job, done, outcomes = unpack(keys)
  local deadline = deadline_of_run()
  if not deadline or not keep_outcome(deadline, job, outcomes, done, queue, index, outcome, is_failure) then return -1 end
  return call('HLEN', outcomes)
end

function steps.record_and_begin(keys, queue, index, outcome, is_failure, following)
  -- As `record`, and then `begin` for the candidate `following`; its attempt's number, or 0.
  local _, _, outcomes, attempts = unpack(keys)
  if steps.record(keys, queue, index, outcome, is_failure) < 0 or call('HEXISTS', outcomes, following) == 1 then return 0 end
  return call('HINCRBY', attempts, following, 1)
end

-- Whose turn it is

function steps.name_queues(keys, names, issued_at, planned, heavy, project, block)
  -- Names a job's queues, once: later calls change nothing. From now on they wait for their turn.
  local job, queues = unpack(keys)
  local deadline = deadline_of_run()
  if not deadline or call('HEXISTS', job, 'queues') == 1 then return 0 end
  names = cjson.decode(names)
  for _, name in ipairs(names) do call('RPUSH', queues, name) end
  call('EXPIREAT', queues, deadline + DAY)
  call('HSET', job, 'queues', #names, 'issued_at', issued_at, 'planned', planned, 'candidates_total', #names * planned)
  call('HSET', job, 'heavy', heavy, 'block', block)
  if #names > 0 then enlist(string.sub(job, 5), project, deadline) end
  return 1
end

function steps.enlist(keys, project)
  -- For a job whose queues wait and that stands in no row, as the release before this one has left it.
  local deadline = deadline_of_run()
  local total, next = unpack(call('HMGET', keys[1], 'queues', 'next'))
  if deadline and total and tonumber(next or 0) < tonumber(total) then enlist(string.sub(keys[1], 5), project, deadline) end
end

function steps.let_in(_, always, few, few_tasks, score_tasks, heavy_tasks, now)
  -- Lets queues in, of the projects in turn and within a project of its jobs in turn, as long as there is room; a project of
  -- which none runs has room for one. What runs is counted over all jobs of a lane: those with heavy candidates hold up none
  -- without. Nothing is kept that could be wrong: `let_in:{lane}` names the jobs to look at, the numbers are those of the jobs
  -- themselves. A queue that waits for a service does not count, but a job of which few wait so has to wait itself.
  -- Returns job, queue, job, queue …
  always, few, few_tasks = tonumber(always), tonumber(few), tonumber(few_tasks)
  local let_in = {}

  local function look_at(job)
    -- How many of the job's queues have been let in and not ended, how many of these wait for a service, how many are to come.
    local total, next = unpack(call('HMGET', 'job:' .. job, 'queues', 'next'))
    if not total then return 0, 0, 0 end
    next = tonumber(next or 0)
    local waiting = call('HLEN', 'waiting:' .. job) - call('HEXISTS', 'waiting:' .. job, '')
    return next - call('HLEN', 'done:' .. job), waiting, total - next
  end

  local function add(sum, job, queues)
    local planned, heavy = unpack(call('HMGET', 'job:' .. job, 'planned', 'heavy'))
    local project = call('GET', 'project:' .. job) or ''
    sum.queues = sum.queues + queues
    sum.tasks = sum.tasks + queues * (planned or 1)
    sum.heavy = sum.heavy + queues * (heavy or 0)
    sum.of[project] = (sum.of[project] or 0) + queues
  end

  local function count(lane)
    -- What runs in a lane: queues, their tasks, those of them that are heavy, and queues by project.
    local sum = {queues = 0, tasks = 0, heavy = 0, of = {}}
    for _, job in ipairs(call('SMEMBERS', 'let_in:' .. lane)) do
      local inside, waiting = look_at(job)
      if inside <= 0 then call('SREM', 'let_in:' .. lane, job) else add(sum, job, math.max(0, inside - waiting)) end
    end
    return sum
  end

  local function next_of(turns)
    -- The job of a project whose turn it is; jobs that have ended or have nothing more to let in leave the row.
    local place = 0
    while true do
      local job = call('ZRANGE', turns, place, place)[1]
      if not job then return nil end
      local _, waiting, to_come = look_at(job)
      if to_come <= 0 then call('ZREM', turns, job)
      elseif waiting < few then return job
      else place = place + 1 end
    end
  end

  local function whose_turn(lane, sum)
    local is_open = sum.queues < always or (sum.queues < few and sum.tasks < few_tasks)
    is_open = is_open or sum.tasks < tonumber(score_tasks) or (lane == 'heavy' and sum.heavy < tonumber(heavy_tasks))
    for _, project in ipairs(call('ZRANGE', 'turns:' .. lane, 0, -1)) do
      if is_open or (sum.of[project] or 0) == 0 then
        local job = next_of('turns:' .. lane .. ':' .. project)
        if job then return project, job end
        if call('EXISTS', 'turns:' .. lane .. ':' .. project) == 0 then call('ZREM', 'turns:' .. lane, project) end
      end
    end
  end

  local function release(job)
    local next = call('HINCRBY', 'job:' .. job, 'next', 1) - 1
    local queue = call('LINDEX', 'queues:' .. job, next)
    if not queue then return end
    call('HSET', 'released:' .. job, queue, now)
    call('EXPIREAT', 'released:' .. job, call('HGET', 'job:' .. job, 'deadline_at') + DAY)
    let_in[#let_in + 1], let_in[#let_in + 2] = job, queue
  end

  for _, lane in ipairs(LANES) do
    local sum, turns = count(lane), 'turns:' .. lane
    local project, job = whose_turn(lane, sum)
    while job do
      release(job)
      call('SADD', 'let_in:' .. lane, job)
      take_turn(turns, project)
      take_turn(turns .. ':' .. project, job)
      local _, _, to_come = look_at(job)
      if to_come <= 0 then leave(job) end
      add(sum, job, 1)
      project, job = whose_turn(lane, sum)
    end
  end
  return let_in
end

-- A queue's work, and the ends of queue and job

function steps.mark_read(keys, block)
  local deadline = deadline_of_run()
  if not deadline then return end
  call('SADD', keys[2], block)
  call('EXPIREAT', keys[2], deadline + DAY)
end

function steps.keep_readings(keys, job, ...)
  -- Queue, what was read of it, queue …
  local deadline, pairs = deadline_of_run(), {...}
  for i = 1, deadline and #pairs or 0, 2 do
    local of_queue = ':' .. job .. ':' .. pairs[i]
    if call('HEXISTS', keys[2], pairs[i]) == 0 and call('EXISTS', 'candidates' .. of_queue) == 0 then
      call('SET', 'reading' .. of_queue, pairs[i + 1], 'NX', 'EXAT', deadline + DAY)
    end
  end
end

function steps.keep_work(keys, snapshot, work, count, queue)
  -- Snapshot and candidates together, first writer wins: an index never changes its meaning. It waits for its source no more, and
  -- what was read of it is no more needed.
  local job, done, waiting, data, candidates, reading = unpack(keys)
  local deadline = deadline_of_run()
  if deadline then call('HDEL', waiting, queue) end
  if not deadline or call('EXISTS', candidates) == 1 or call('HEXISTS', done, queue) == 1 then return 0 end
  call('SET', data, snapshot, 'EXAT', deadline + DAY)
  call('SET', candidates, work, 'EXAT', deadline + DAY)
  call('UNLINK', reading)
  call('HINCRBY', job, 'candidates_total', count - call('HGET', job, 'planned'))
  return 1
end

function steps.forget_refit(keys)
  -- Drops a queue's snapshot and work, if that is a refit: the queue is ingested anew.
  local job, data, candidates = unpack(keys)
  local work = deadline_of_run() and call('GET', candidates)
  if not work or not cjson.decode(work).is_refit then return end
  call('HINCRBY', job, 'candidates_total', call('HGET', job, 'planned'))
  call('UNLINK', data, candidates)
end

local function is_delivering(notes, queue, now, seconds)
  -- Whether anybody is, for any run of the job; who began longer ago has died.
  local begun = call('HGETALL', notes)
  for i = 1, #begun, 2 do
    if string.match(begun[i], ':(.*)') == queue and begun[i + 1] + seconds > tonumber(now) then return true end
  end
  return false
end

function steps.begin_delivery(keys, queue, note, now, seconds)
  -- Not dropped with the job: whoever delivers for a job that was cancelled meanwhile is still at it.
  local _, done, delivering = unpack(keys)
  if not deadline_of_run() or call('HEXISTS', done, queue) == 1 then return 0 end
  call('HSET', delivering, note, now)
  call('EXPIRE', delivering, seconds)
  return 1
end

function steps.end_queue(keys, queue, reason, now, seconds, failed)
  -- 1: this call ended the queue, and nothing of it is left but its end; 0: it had ended already, or the job has, or it is being
  -- delivered and is not to be given up.
  local job, done, waiting, delivering, candidates = unpack(keys)
  local deadline = deadline_of_run()
  if reason ~= '' and is_delivering(delivering, queue, now, seconds) then return 0 end
  if not deadline or call('HSETNX', done, queue, reason) == 0 then return 0 end
  call('EXPIREAT', done, deadline + DAY)
  if failed == '1' then call('HINCRBY', job, 'queues_failed', 1) end
  if call('EXISTS', candidates) == 0 then call('HINCRBY', job, 'candidates_total', -call('HGET', job, 'planned')) end
  call('HDEL', waiting, queue)
  call('UNLINK', unpack(keys, 5))
  return 1
end

function steps.note_waiting(keys, queue, reason)
  -- 1: it did not wait for this before.
  local _, waiting, done = unpack(keys)
  local deadline = deadline_of_run()
  if not deadline or call('HEXISTS', done, queue) == 1 then return 0 end
  local before = call('HGET', waiting, queue)
  call('HSET', waiting, queue, reason)
  call('EXPIREAT', waiting, deadline + DAY)
  return before == reason and 0 or 1
end

function steps.drop(keys, job, kinds_per_job, kinds_per_queue)
  -- Deletes all that the job has, but nothing of another run than the caller's.
  if call('EXISTS', keys[1]) == 1 and not deadline_of_run() then return end
  leave(job)
  for _, lane in ipairs(LANES) do call('SREM', 'let_in:' .. lane, job) end
  local queues = call('LRANGE', keys[2], 0, -1)
  queues[#queues + 1] = ''
  for _, kind in ipairs(cjson.decode(kinds_per_queue)) do
    for _, queue in ipairs(queues) do call('UNLINK', kind .. ':' .. job .. ':' .. queue) end
  end
  for _, kind in ipairs(cjson.decode(kinds_per_job)) do call('UNLINK', kind .. ':' .. job) end
  call('SREM', 'active', job)
end

-- What the fleet has agreed on

function steps.join(keys, member, seconds, values)
  -- Makes the caller a member for so many seconds, unless it differs from what the others have: then name, value, name … of that.
  -- What no member of ours has written, or the clock has been set back since, keeps nobody from starting.
  local agreed, members = unpack(keys)
  local now, differing = tonumber(call('TIME')[1]), {}
  for key, kind in pairs({[agreed] = 'hash', [members] = 'zset'}) do
    if call('TYPE', key).ok ~= kind then call('DEL', key) end
  end
  call('ZREMRANGEBYSCORE', members, '-inf', now)
  call('ZREMRANGEBYSCORE', members, '(' .. now + MANY * seconds, '+inf')
  call('ZREM', members, member)
  if call('EXISTS', members) == 0 then call('DEL', agreed) end
  for name, value in pairs(cjson.decode(values)) do
    call('HSETNX', agreed, name, value)
    local theirs = call('HGET', agreed, name)
    if theirs ~= value then differing[#differing + 1], differing[#differing + 2] = name, theirs end
  end
  if #differing == 0 then call('ZADD', members, now + seconds, member) end
  return differing
end

-- Who lives

function steps.workers(keys)
  -- What each worker has said last; those that have gone silent leave the set.
  local living = {}
  for _, id in ipairs(call('SMEMBERS', keys[1])) do
    local said = call('GET', 'worker:' .. id)
    if said then living[#living + 1] = said else call('SREM', keys[1], id) end
  end
  return living
end

return steps[step](KEYS, unpack(ARGV, 3))
