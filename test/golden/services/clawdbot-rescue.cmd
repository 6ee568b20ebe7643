@echo off
rem Clawdbot Gateway (profile: rescue, v{version})
chcp 65001 >nul
set "HOME=C:/Users/Jörg & me"
set "PATH=C:\Windows\system32;C:\100%%\bin"
set "CLAWDBOT_GATEWAY_PORT=19001"
set "CLAWDBOT_WINDOWS_TASK_NAME=Clawdbot Gateway (rescue)"
set "CLAWDBOT_SERVICE_MARKER=clawdbot"
set "CLAWDBOT_SERVICE_KIND=gateway"
set "CLAWDBOT_SERVICE_VERSION={version}"
set "CLAWDBOT_PROFILE=rescue"
set "CLAWDBOT_STATE_DIR=C:/Users/Jörg & me/.clawdbot-rescue"
set "CLAWDBOT_CONFIG_PATH=C:/Users/Jörg & me/.clawdbot-rescue/clawdbot.json"
set "CLAWDBOT_SERVICE_ENV_FILE=C:/Users/Jörg & me/.clawdbot-rescue/service.env"
if not exist "C:\Users\Jörg & me\.clawdbot-rescue\logs" mkdir "C:\Users\Jörg & me\.clawdbot-rescue\logs"
:start
if exist "C:\Users\Jörg & me\.clawdbot-rescue\logs\gateway.err.log" move /y "C:\Users\Jörg & me\.clawdbot-rescue\logs\gateway.err.log" "C:\Users\Jörg & me\.clawdbot-rescue\logs\gateway.err.log.1" >nul
"C:\Program Files\nodejs\node.exe" "C:\Users\Jörg & me\AppData\Roaming\npm\node_modules\clawlet\dist\clawdbot.js" gateway --port 19001 >nul 2>"C:\Users\Jörg & me\.clawdbot-rescue\logs\gateway.err.log"
if %ERRORLEVEL% EQU 0 exit /b 0
if %ERRORLEVEL% EQU 78 exit /b 78
ping -n 6 127.0.0.1 >nul
goto start
