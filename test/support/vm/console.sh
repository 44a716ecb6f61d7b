# The tests' shell on a serial line: a line is a command in base64; the answer is its output in base64, and its exit code.
stty raw -echo
echo READY
while read -r line; do
  echo "$line" | base64 -d >/run/command
  setsid sh /run/command >/run/output 2>&1 </dev/null
  code=$?
  base64 /run/output
  echo "EXIT $code"
done
