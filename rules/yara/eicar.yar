// The antivirus industry's harmless test file, and texts that only differ a little from it.

rule EICAR_Test_File : test
{
    meta:
        title = "EICAR test file"
        title_vi = "Tệp thử nghiệm EICAR"
        description = "The harmless file with which antivirus programs are tested. Somebody tests the protection, or plays."
        description_vi = "Tệp vô hại dùng để thử phần mềm diệt virus. Có người đang kiểm tra hệ thống bảo vệ."
        advice = "Ask who is testing. Nothing has to be cleaned."
        advice_vi = "Hỏi xem ai đang kiểm tra. Không cần xử lý mã độc."
        level = "medium"
        attack = "t1204.002"
        date = "2026-11-22"
    strings:
        $head = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$"
        $tail = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    condition:
        $head in (0..64) and $tail
}

rule EICAR_Look_Alike : test
{
    meta:
        title = "Look-alike of the EICAR test file"
        title_vi = "Tệp gần giống tệp thử EICAR"
        description = "A file with the words of the EICAR test file that is not it: changed to slip past a filter, or a document about it."
        description_vi = "Tệp chứa dòng chữ của tệp thử EICAR nhưng đã bị sửa để lách bộ lọc, hoặc là tài liệu nói về nó."
        level = "low"
        date = "2026-11-22"
    strings:
        $words = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE" nocase
        $reversed = "ELIF-TSET-SURIVITNA-DRADNATS-RACIE"
        $encoded = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE" base64
    condition:
        filesize < 100KB and any of them and not EICAR_Test_File
}
