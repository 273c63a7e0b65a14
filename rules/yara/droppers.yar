// Scripts and shortcuts that fetch and start the next stage.

rule Script_Downloads_And_Runs : dropper
{
    meta:
        title = "Script that downloads a program and runs it"
        title_vi = "Kịch bản tải chương trình về và chạy"
        description = "A script that fetches something from the network and starts it in the same breath."
        description_vi = "Kịch bản tải tệp từ mạng và chạy ngay."
        advice = "Find out what the address in the script serves, and whether the host ran it."
        advice_vi = "Xác định địa chỉ trong kịch bản phục vụ nội dung gì và máy đã chạy hay chưa."
        level = "high"
        attack = "t1059.001, t1105"
        date = "2026-11-22"
    strings:
        $ps_get = /(DownloadString|DownloadFile|DownloadData|Invoke-WebRequest|Invoke-RestMethod|Start-BitsTransfer)\b/ nocase
        $ps_run = /\b(IEX|Invoke-Expression|Start-Process|Invoke-Item)\b/ nocase
        $ps_hide = /-(w|win|windowstyle)\s+hidden/ nocase
        $vb_get = /MSXML2\.(Server)?XMLHTTP|WinHttp\.WinHttpRequest/ nocase
        $vb_save = "ADODB.Stream" nocase
        $vb_run = /WScript\.Shell|Shell\.Application/ nocase
        $sh_pipe = /(curl|wget)\s[^|\n]{5,200}\|\s*(ba|da|z)?sh\b/
    condition:
        filesize < 1MB and (($ps_get and $ps_run and (#ps_get + #ps_run > 2 or $ps_hide)) or ($vb_get and $vb_save and $vb_run) or $sh_pipe)
}

rule PowerShell_Encoded_Command : dropper
{
    meta:
        title = "PowerShell started with a hidden command"
        title_vi = "PowerShell chạy với lệnh bị mã hóa"
        description = "A file that starts PowerShell with a long encoded command and no window."
        description_vi = "Tệp khởi chạy PowerShell với lệnh dài bị mã hóa, không hiện cửa sổ."
        level = "high"
        attack = "t1059.001, t1027.010"
        date = "2026-11-22"
    strings:
        $encoded = /powershell(\.exe)?["']?\s[^\n]{0,120}-(e|en|enc|enco|encodedcommand)\s+["']?[A-Za-z0-9+\/=]{60}/ nocase
    condition:
        filesize < 5MB and $encoded
}

rule Program_Packed_By_UPX : packed
{
    meta:
        title = "Packed program (UPX)"
        title_vi = "Chương trình bị nén (UPX)"
        description = "A Windows or Linux program packed with UPX. Harmless by itself, but malware is packed more often than office software."
        description_vi = "Chương trình Windows hoặc Linux nén bằng UPX. Bản thân vô hại, nhưng mã độc hay dùng hơn phần mềm văn phòng."
        level = "low"
        attack = "t1027.002"
        date = "2026-11-22"
    strings:
        $mark = "UPX!"
        $first = "UPX0"
    condition:
        (uint16(0) == 0x5A4D and $first in (0..1024) and $mark) or (uint32(0) == 0x464C457F and $mark in (0..1024))
}
