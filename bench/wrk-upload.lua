-- Uploads of 10 MB; wrk-report.lua tells the figures.
dofile((debug.getinfo(1, "S").source:sub(2):gsub("[^/]*$", "")) .. "wrk-report.lua")
wrk.method = "POST"
wrk.body = string.rep("u", 10000000)
