/**
 * What the Lua machine is given before its globals are locked, in Lua: the functions of the table `redis` as Redis 7 has
 * them, and the one that runs scripts. A script is run as `return redis['\0']()`, with its text and whether to run it
 * behind the ARGV of its own, and tells what became of it: `{protocol, value}`, or `{0, message, line}` where it failed.
 *
 * What must hold: numbers reach commands with all their digits (the machine alone would give them 14); errors of
 * commands are tables with `err`, so that `pcall` in a script sees what it expects; a value that is handed out has no
 * metatables, and is no deeper than the machine can encode. What the machine calls by a code of its own is told in Redis's words. Nothing of one script is left for the next: what is kept
 * are compiled texts, by text.
 */

/** Tables inside tables that a script may return. */
const depthMax = 100
/** Bytes of script texts that are kept compiled; past that all are dropped. */
const compiledBytesMax = 4 * 1024 * 1024

/** The status that a reply has in place of nil. */
export const nilStatus = '\u0001nil'

const driver = `
local raw = {}
for name, value in pairs(redis) do raw[name] = value end
local type, select, unpack, rawget, rawset, pairs = type, select, unpack, rawget, rawset, pairs
local getmetatable, setmetatable, pcall, xpcall, error = getmetatable, setmetatable, pcall, xpcall, error
local loadstring, tostring, remove, concat = loadstring, tostring, table.remove, table.concat
local format, find, sub, gsub = string.format, string.find, string.sub, string.gsub

local protocol = 2

local function raise(text)
  error({err = 'ERR ' .. text})
end

local function send(name, ...)
  local count = select('#', ...)
  if count == 0 then return {err = 'ERR Please specify at least one argument for this ' .. name .. ' call'} end
  local texts, isShort = {...}, true
  for i = 1, count do
    local value = texts[i]
    local kind = type(value)
    if kind == 'number' then
      if value % 1 ~= 0 or value >= 1e14 or value <= -1e14 then
        texts[i], isShort = format('%.17g', value), false
      end
    elseif kind ~= 'string' then
      return {err = 'ERR Lua redis lib command arguments must be strings or integers'}
    end
  end
  local reply
  if isShort then reply = raw.pcall(...) else reply = raw.pcall(unpack(texts, 1, count)) end
  if protocol == 3 and type(reply) == 'table' and rawget(reply, 'ok') == '${nilStatus}' then return nil end
  return reply
end

local function orRaise(reply)
  if type(reply) == 'table' and rawget(reply, 'err') then error(reply) end
  return reply
end

function redis.call(...)
  return orRaise(send('redis.call()', ...))
end

function redis.pcall(...)
  return send('redis.call()', ...)
end

function redis.acl_check_cmd(...)
  if select('#', ...) == 0 then
    raise('Please specify at least one argument for this redis.acl_check_cmd() call')
  end
  return orRaise(send('redis.acl_check_cmd()', '\\0may', ...)) == 1
end

local function field(name, prefix)
  return function(...)
    local text = ...
    if select('#', ...) ~= 1 or type(text) ~= 'string' then return {err = 'ERR wrong number or type of arguments'} end
    return {[name] = prefix(text)}
  end
end

redis.status_reply = field('ok', function(text) return text end)
redis.error_reply = field('err', function(text)
  if sub(text, 1, 1) == '-' then text = sub(text, 2) end
  return find(text, ' ', 1, true) and text or 'ERR ' .. text
end)

function redis.sha1hex(...)
  if select('#', ...) ~= 1 then raise('wrong number of arguments') end
  return raw.sha1hex(tostring((...)))
end

function redis.setresp(...)
  if select('#', ...) ~= 1 then raise('redis.setresp() requires one argument.') end
  local version = ...
  if version ~= 2 and version ~= 3 then raise('RESP version must be 2 or 3.') end
  protocol = version
  raw.setresp(version)
end

function redis.log(...)
  local count, texts = select('#', ...), {...}
  if count < 2 then raise('redis.log() requires two arguments or more.') end
  local level = texts[1]
  if type(level) ~= 'number' then raise('First argument must be a number (log level).') end
  if level < 0 or level > 3 then raise('Invalid log level.') end
  for i = 2, count do
    local kind = type(texts[i])
    if kind ~= 'string' and kind ~= 'number' then texts[i] = '' end
  end
  raw.log(level, concat(texts, ' ', 2, count))
end

redis.REPL_NONE, redis.REPL_AOF, redis.REPL_SLAVE, redis.REPL_REPLICA, redis.REPL_ALL = 0, 1, 2, 2, 3

function redis.set_repl(...)
  if select('#', ...) ~= 1 then raise('redis.set_repl() requires one argument.') end
  local flags = ...
  if type(flags) ~= 'number' or flags < 0 or flags > 3 then
    raise('Invalid replication flags. Please use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.')
  end
end

function redis.replicate_commands()
  return true
end

function redis.breakpoint()
  return false
end

function redis.debug()
end

local function plain(value, depth)
  local kind = type(value)
  if kind == 'function' or kind == 'userdata' or kind == 'thread' then return false end
  if kind ~= 'table' then return value end
  if depth > ${depthMax} then return {err = 'ERR reached lua stack limit'} end
  if getmetatable(value) and not pcall(setmetatable, value, nil) then
    local copy = {}
    for key, item in pairs(value) do copy[key] = item end
    value = copy
  end
  if type(rawget(value, 'err')) == 'string' or type(rawget(value, 'ok')) == 'string' then return value end
  for _, name in pairs({'map', 'set'}) do
    local inner = rawget(value, name)
    if type(inner) == 'table' then
      for key, item in pairs(inner) do
        plain(key, depth + 1)
        plain(item, depth + 1)
      end
    end
  end
  local place = 1
  while true do
    local item = rawget(value, place)
    if item == nil then return value end
    kind = type(item)
    if kind ~= 'string' and kind ~= 'number' then
      local other = plain(item, depth + 1)
      if other ~= item then rawset(value, place, other) end
    end
    place = place + 1
  end
end

local function line()
  for level = 4, 40 do
    local _, where = pcall(error, '', level)
    local _, _, number = find(where, '^user_script:(%d+): $')
    if number then return number end
  end
end

local function worded(text)
  return (gsub(text, '__RLUA_E__:global%-read:(.*)', "Script attempted to access nonexistent global variable '%1'"))
end

local function failed(err)
  local text = type(err) == 'table' and (rawget(err, 'err') or 'unknown error') or 'ERR ' .. tostring(err)
  return {worded(tostring(text)), line()}
end

local function caught(isDone, err, ...)
  if not isDone and type(err) == 'string' then err = worded(err) end
  return isDone, err, ...
end

_G.pcall = function(...)
  return caught(pcall(...))
end

local compiled, compiledBytes = {}, 0

local function compile(source)
  local run = compiled[source]
  if run then return run end
  local fault
  run, fault = loadstring(source, '@user_script')
  if not run then return nil, 'ERR Error compiling script (new function): ' .. fault end
  compiledBytes = compiledBytes + #source
  if compiledBytes > ${compiledBytesMax} then compiled, compiledBytes = {}, #source end
  compiled[source] = run
  return run
end

redis['\\0'] = function()
  local mode, source = remove(ARGV), remove(ARGV)
  local run, fault = compile(source)
  if not run then return {0, fault} end
  if mode == 'compile' then return {1} end
  protocol = 2
  local isDone, value = xpcall(function()
    local value = run()
    local kind = type(value)
    if kind == 'function' or kind == 'userdata' or kind == 'thread' then return nil end
    return plain(value, 0)
  end, failed)
  -- So that every kind of table is encoded, whatever the script asked of commands.
  raw.setresp(3)
  if isDone then return {protocol, value} end
  if type(value) ~= 'table' then return {0, 'ERR ' .. tostring(value)} end
  return {0, value[1], value[2]}
end
`

/** Evaluated once, before the globals are locked. Named otherwise than scripts, so that its lines are not taken for theirs. */
export const luaSetup = `assert(loadstring([==[${driver}]==], '@orbit'))() return true`

/** Evaluated for each script. */
export const luaEntry = `return redis['\\0']()`

/** The first argument by which \`acl_check_cmd\` asks the host; no name of a command. */
export const mayPrefix = '\0may'
