/** Writes the arrays of keys.tsv: a text of each, and its serialised form in hexadecimal. Run: java Keys.java > keys.tsv */
import java.io.*; import java.math.*; import java.time.*; import java.util.*;
public class Keys {
  static String hex(Object o) throws Exception { ByteArrayOutputStream b=new ByteArrayOutputStream(); ObjectOutputStream s=new ObjectOutputStream(b); s.writeObject(o); s.close(); StringBuilder h=new StringBuilder(); for(byte x:b.toByteArray()) h.append(String.format("%02x",x)); return h.toString(); }
  public static void main(String[] a) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    Object[][] all = {
      null, {}, {1}, {-5}, {7L}, {1,2L,3}, {"abc"}, {"héé\u0000\uD83D\uDE00","abc",new String("abc")}, {new BigInteger("18446744073709551615")}, {new BigInteger("0")}, {new BigInteger("-300")}, {new BigDecimal("12.50")}, {new BigDecimal("-0.001")},
      {1.5f}, {2.25d}, {true}, {new byte[]{1,2,(byte)255}}, {1,1,true,true,300,300}, {LocalDate.of(2024,2,29)}, {LocalDate.of(-1,1,1)}, {Duration.ofSeconds(-5400, 500000000)}, {java.sql.Timestamp.valueOf("2024-02-29 10:11:12.123456")}, {java.sql.Date.valueOf("2024-01-01")},
      {(short)3}, {(byte)4}, {null}, {null, 1}, {LocalDateTime.of(2024,1,2,3,4,5,678000000)}, {LocalTime.of(3,4,5)}, {LocalTime.of(3,4,5,6000)}, {new BigInteger("5"), new BigInteger("6"), new BigDecimal("1.1"), new BigDecimal("2.2")},
      {java.sql.Timestamp.valueOf("2024-02-29 10:11:12"), java.sql.Timestamp.valueOf("2024-02-29 10:11:13"), java.sql.Date.valueOf("2024-01-01"), java.sql.Date.valueOf("2024-01-02"), LocalDate.of(2024,1,1), LocalDate.of(2024,1,2), Duration.ofSeconds(1), Duration.ofSeconds(2), new byte[]{1}, new byte[]{2}},
      {java.sql.Time.valueOf("10:00:00")}, 
    };
    for (Object[] o : all) System.out.println((o==null?"null":Arrays.deepToString(o))+"\t"+hex(o));
  }
}
