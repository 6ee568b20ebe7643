@echo off
rem Clawdbot Gateway (v{version})
chcp 65001 >nul
set "HOME=C:/Users/Jörg & me"
set "PATH=C:\Windows\system32;C:\100%%\bin"
set "CLAWDBOT_GATEWAY_PORT=18789"
set "CLAWDBOT_WINDOWS_TASK_NAME=Clawdbot Gateway"
set "CLAWDBOT_SERVICE_MARKER=clawdbot"
set "CLAWDBOT_SERVICE_KIND=gateway"
set "CLAWDBOT_SERVICE_VERSION={version}"
if not exist "C:\Users\Jörg & me\.clawdbot\logs" mkdir "C:\Users\Jörg & me\.clawdbot\logs"
:start
if exist "C:\Users\Jörg & me\.clawdbot\logs\gateway.err.log" move /y "C:\Users\Jörg & me\.clawdbot\logs\gateway.err.log" "C:\Users\Jörg & me\.clawdbot\logs\gateway.err.log.1" >nul
"C:\Program Files\nodejs\node.exe" "C:\Users\Jörg & me\AppData\Roaming\npm\node_modules\clawlet\dist\clawdbot.js" gateway --port 18789 >nul 2>"C:\Users\Jörg & me\.clawdbot\logs\gateway.err.log"
if %ERRORLEVEL% EQU 0 exit /b 0
if %ERRORLEVEL% EQU 78 exit /b 78
ping -n 6 127.0.0.1 >nul
goto start
