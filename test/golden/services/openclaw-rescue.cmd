@echo off
rem OpenClaw Gateway (profile: rescue, v{version})
chcp 65001 >nul
set "HOME=C:/Users/Jörg & me"
set "PATH=C:\Windows\system32;C:\100%%\bin"
set "OPENCLAW_GATEWAY_PORT=19001"
set "OPENCLAW_WINDOWS_TASK_NAME=OpenClaw Gateway (rescue)"
set "OPENCLAW_SERVICE_MARKER=openclaw"
set "OPENCLAW_SERVICE_KIND=gateway"
set "OPENCLAW_SERVICE_VERSION={version}"
set "OPENCLAW_PROFILE=rescue"
set "OPENCLAW_STATE_DIR=C:/Users/Jörg & me/.openclaw-rescue"
set "OPENCLAW_CONFIG_PATH=C:/Users/Jörg & me/.openclaw-rescue/openclaw.json"
set "OPENCLAW_SERVICE_ENV_FILE=C:/Users/Jörg & me/.openclaw-rescue/service.env"
if not exist "C:\Users\Jörg & me\.openclaw-rescue\logs" mkdir "C:\Users\Jörg & me\.openclaw-rescue\logs"
:start
if exist "C:\Users\Jörg & me\.openclaw-rescue\logs\gateway.err.log" move /y "C:\Users\Jörg & me\.openclaw-rescue\logs\gateway.err.log" "C:\Users\Jörg & me\.openclaw-rescue\logs\gateway.err.log.1" >nul
"C:\Program Files\nodejs\node.exe" "C:\Users\Jörg & me\AppData\Roaming\npm\node_modules\clawlet\dist\openclaw.js" gateway --port 19001 >nul 2>"C:\Users\Jörg & me\.openclaw-rescue\logs\gateway.err.log"
if %ERRORLEVEL% EQU 0 exit /b 0
if %ERRORLEVEL% EQU 78 exit /b 78
ping -n 6 127.0.0.1 >nul
goto start
