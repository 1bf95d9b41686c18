-- SPDX-License-Identifier: MIT
-- For wrk: every request is a BizGo report with a msgKey of its own. At the end one line of JSON about the answers.
--   wrk … -s webhook.lua URL -- PREFIX        PREFIX: makes the keys of this run its own

local NAME = "KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK" -- 32 characters, as BizGo's are
local BODY = '{"msgKey":"' .. NAME .. '","serviceType":"ALIMTALK","msgType":"AT","sendTime":"2026-01-12T11:00:01.000+09:00",'
    .. '"reportTime":"2026-01-12T11:00:03.123+09:00","reportType":"0","reportCode":"10000","reportText":"","carrier":"SKT"}'

local threads = 0

function setup(thread)
    thread:set("id", threads)
    threads = threads + 1
end

-- All but the key is the same in each request, so that wrk's part of the machine stays small.
function init(args)
    local request = wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, BODY)
    local first, last = request:find(NAME, 1, true)
    head, tail = request:sub(1, first - 1), request:sub(last + 1)
    prefix, count = args[1] or "", 0
end

function request()
    count = count + 1
    local own = prefix .. id .. "-" .. count
    return head .. string.rep("0", #NAME - #own) .. own .. tail
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        'RESULT {"answers":%d,"seconds":%.6f,"not_2xx":%d,"broken":%d,"timeouts":%d,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f}\n',
        summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write, errors.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
