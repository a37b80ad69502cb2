-- Makes wrk end with one line of JSON instead of its prose; the fields are those of LoadFigures in load.ts.
-- wrk counts an answer with status 400 and above in `errors.status` as well as in `requests`.
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f,"failed":%d}\n',
    summary.requests - e.status, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    e.connect + e.read + e.write + e.status + e.timeout))
end
