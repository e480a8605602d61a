// One line in each of twelve scripts, and what is hardest: two directions in one line, brackets, and emoji of many parts.

export const SCRIPTS: readonly { readonly script: string; readonly text: string; readonly fonts: readonly string[] }[] =
  [
    { script: 'latin', text: 'Où est l’œuvre? Größe “fi” office Łódź.', fonts: ['latin', 'latin-ext'] },
    { script: 'cyrillic', text: 'Доброго дня! Съешь ещё ґанок.', fonts: ['cyrillic', 'cyrillic-ext', 'latin'] },
    { script: 'greek', text: 'Καλημέρα, τί κάνετε; Ἀρχή.', fonts: ['greek', 'greek-ext', 'latin'] },
    { script: 'vietnamese', text: 'Xin chào, rất vui được gặp bạn.', fonts: ['vietnamese', 'latin', 'latin-ext'] },
    { script: 'arabic', text: 'مرحبا، لم يصل طلبي بعد', fonts: ['arabic'] },
    { script: 'hebrew', text: 'שלום, ההזמנה שלי לא הגיעה', fonts: ['hebrew', 'latin'] },
    { script: 'urdu', text: 'آپ کا شکریہ، میں پاکستان سے ہوں۔', fonts: ['urdu'] },
    { script: 'devanagari', text: 'नमस्ते, हिन्दी में प्रकृति कर्म श्रीमान्', fonts: ['devanagari', 'latin'] },
    { script: 'chinese', text: '你好，我的订单还没有到。謝謝', fonts: ['chinese'] },
    { script: 'japanese', text: 'こんにちは。「注文」がまだ届きません', fonts: ['japanese'] },
    { script: 'korean', text: '안녕하세요 주문이 도착하지 않았습니다', fonts: ['korean'] },
    { script: 'emoji', text: '👩🏽‍💻👨‍👩‍👧‍👦🇩🇪👍🏿❤️1️⃣🏳️‍🌈', fonts: ['emoji'] },
    { script: 'arabic-with-latin', text: 'طلبي رقم 123 (أزرق) من ACME وصل', fonts: ['arabic', 'latin'] },
    { script: 'latin-with-hebrew', text: 'My order (שלום עולם) no. 7', fonts: ['latin', 'hebrew'] },
  ]
