// Server pages that run what they are told. The strings are pieces; none of these rules is a shell, and none of the tests is.

rule PHP_Shell_Runs_Parameter : webshell
{
    meta:
        title = "PHP page that runs what a request says"
        title_vi = "Trang PHP chạy lệnh nhận từ yêu cầu (web shell)"
        description = "A PHP file that hands a request parameter straight to a function that runs commands or code."
        description_vi = "Tệp PHP chuyển thẳng tham số của yêu cầu cho hàm chạy lệnh hoặc mã."
        advice = "Remove the page from the server, keep a copy, and look who called it."
        advice_vi = "Gỡ trang khỏi máy chủ, giữ bản sao làm chứng cứ và tìm ai đã gọi trang này."
        level = "critical"
        attack = "t1505.003"
        date = "2026-11-22"
    strings:
        $open = "<?"
        $run = /\b(eval|assert|system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec)\s*\(\s*(base64_decode\s*\(\s*|gzinflate\s*\(\s*|str_rot13\s*\(\s*|stripslashes\s*\(\s*|urldecode\s*\(\s*|@)*\$_(GET|POST|REQUEST|COOKIE|SERVER)\b/ nocase
        $variable = /\$_(GET|POST|REQUEST|COOKIE)\s*\[[^\]]{1,40}\]\s*\(\s*\$_(GET|POST|REQUEST|COOKIE)/ nocase
        $regexp = /preg_replace\s*\(\s*['"].{1,60}\/e['"]\s*,\s*\$_(GET|POST|REQUEST)/ nocase
    condition:
        filesize < 2MB and $open and ($run or $variable or $regexp)
}

rule PHP_Shell_Packed : webshell
{
    meta:
        title = "PHP page that unpacks and runs hidden code"
        title_vi = "Trang PHP giải nén và chạy mã ẩn"
        description = "A PHP file that runs code after undoing several layers of encoding. Honest software has no reason to hide like this."
        description_vi = "Tệp PHP chạy mã sau khi giải nhiều lớp mã hóa. Phần mềm chính đáng không cần che giấu như vậy."
        level = "high"
        attack = "t1505.003, t1027"
        date = "2026-11-22"
    strings:
        $open = "<?"
        $layers = /(eval|assert|create_function)\s*\(\s*['",\s]*(@?(gzinflate|gzuncompress|gzdecode|str_rot13|base64_decode|strrev|convert_uudecode|hex2bin)\s*\(\s*){2,}/ nocase
        $long = /eval\s*\(\s*base64_decode\s*\(\s*['"][A-Za-z0-9+\/=]{400}/ nocase
    condition:
        filesize < 5MB and $open and ($layers or $long)
}

rule JSP_Shell_Runs_Parameter : webshell
{
    meta:
        title = "JSP page that runs what a request says"
        title_vi = "Trang JSP chạy lệnh nhận từ yêu cầu (web shell)"
        description = "A JSP file that starts a process with a request parameter, or loads a class that a request carries."
        description_vi = "Tệp JSP khởi chạy tiến trình với tham số của yêu cầu, hoặc nạp lớp do yêu cầu mang tới."
        level = "critical"
        attack = "t1505.003"
        date = "2026-11-22"
    strings:
        $open = "<%"
        $parameter = "request.getParameter"
        $runtime = /Runtime\s*\.\s*getRuntime\s*\(\s*\)\s*\.\s*exec/
        $builder = "ProcessBuilder"
        $loader = /extends\s+ClassLoader/
        $define = "defineClass"
    condition:
        filesize < 2MB and $open and (($parameter and ($runtime or $builder)) or ($loader and $define))
}

rule ASPX_Shell_Runs_Parameter : webshell
{
    meta:
        title = "ASP page that runs what a request says"
        title_vi = "Trang ASP/ASPX chạy lệnh nhận từ yêu cầu (web shell)"
        description = "An ASP or ASP.NET page that evaluates a request parameter or starts a process with it."
        description_vi = "Trang ASP/ASP.NET thực thi tham số của yêu cầu hoặc khởi chạy tiến trình với tham số đó."
        level = "critical"
        attack = "t1505.003"
        date = "2026-11-22"
    strings:
        $page = /<%@?\s*(page|webhandler|language|eval|execute)/ nocase
        $eval = /\b(eval|execute|executeglobal)\s*\(?\s*request(\.(item|form|querystring))?\s*[(\[]/ nocase
        $process = /new\s+(System\.Diagnostics\.)?Process(StartInfo)?\s*\(/ nocase
        $request = /Request(\.(Form|QueryString|Params))?\s*[\[(]/ nocase
        $shell = "cmd.exe" nocase
    condition:
        filesize < 2MB and $page and ($eval or ($process and $request and $shell))
}
