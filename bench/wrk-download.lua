-- Downloads of 10 MB; wrk-report.lua tells the figures.
dofile((debug.getinfo(1, "S").source:sub(2):gsub("[^/]*$", "")) .. "wrk-report.lua")
wrk.path = "/large"
